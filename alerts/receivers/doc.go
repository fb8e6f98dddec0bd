// Package receivers writes alerts in the forms that people and their tools take.
//
// Each file is one kind of receiver, an implementation of notify.Receiver made
// from checked options. A receiver sends once and says what came of it: queues,
// trying again and routes are package notify's. URLs, headers and keys are
// secrets that no error shows.
package receivers
