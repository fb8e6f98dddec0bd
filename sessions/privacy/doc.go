// Package privacy hides what events tell of persons: mail addresses, login names,
// subjects, names of files, addresses of clients. It owns the modes, the pseudonyms
// and their keys, and the copies of events in which values are hidden. cmd/mailtap
// puts a Mask before each output; rules see the events as they are. It never changes
// an event, keeps no value beyond a bounded cache, and reads no file.
//
// A Mask errs on the side of hiding: where a text may quote a value, all that looks
// like one goes. What it leaves, because it says where mail goes and not who writes:
// addresses and names of servers, the name in EHLO, times, sizes, codes, queue ids,
// hashes of files, fingerprints of TLS.
package privacy
