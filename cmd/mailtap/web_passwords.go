package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/time/rate"
)

// passwords checks basic auth against bcrypt hashes. A hash costs tens of
// milliseconds of a core, which the packets want: what was right once is known by
// a keyed digest, one hash is computed at a time, and each client may ask for a
// few only. Who is known is not held up by those who guess.
type passwords struct {
	refused *refusals
	secret  [32]byte // of the digests: they tell nothing outside this process

	hashing sync.Mutex
	mu      sync.Mutex
	right   map[[sha256.Size]byte]bool
	guesses map[netip.Addr]*rate.Limiter
	all     *rate.Limiter
}

// Bounds of what is tried and remembered.
const (
	guessEvery     = 2 * time.Second // of one address, after guessBurst at once
	guessBurst     = 5
	allGuesses     = 4 // a second, of all addresses
	maxRight       = 1000
	maxGuessers    = 4096
	authentication = `Basic realm="mailtap", charset="UTF-8"`
)

func newPasswords(refused *refusals) *passwords {
	p := &passwords{refused: refused, right: map[[sha256.Size]byte]bool{}, guesses: map[netip.Addr]*rate.Limiter{}, all: rate.NewLimiter(allGuesses, 2*allGuesses)}
	_, _ = rand.Read(p.secret[:]) // it never fails
	return p
}

// let says whether a request has a right user and password, and answers it where
// not.
func (p *passwords) let(w http.ResponseWriter, r *http.Request, terms *webTerms) bool {
	user, password, given := r.BasicAuth()
	if !given {
		w.Header().Set("WWW-Authenticate", authentication)
		http.Error(w, "a user and a password are wanted", http.StatusUnauthorized)
		return false
	}
	hash, known := terms.config.Users[user]
	digest := p.digest(user, string(hash), password)
	if known && p.isRight(digest) {
		return true
	}
	if !p.mayGuess(r.RemoteAddr) {
		p.refused.add(refusedRate)
		w.Header().Set("Retry-After", fmt.Sprint(int(guessEvery/time.Second)))
		http.Error(w, "too many passwords were tried", http.StatusTooManyRequests)
		return false
	}
	if p.compare(string(hash), password, known, terms) {
		p.remember(digest)
		return true
	}
	p.refused.add(refusedPassword)
	w.Header().Set("WWW-Authenticate", authentication)
	http.Error(w, "the user or the password is wrong", http.StatusUnauthorized)
	return false
}

// digest names a user with a password, as long as the hash in the file is the same.
func (p *passwords) digest(user, hash, password string) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, p.secret[:])
	fmt.Fprintf(h, "%d %s %d %s %s", len(user), user, len(hash), hash, password)
	h.Sum(sum[:0])
	return sum
}

func (p *passwords) isRight(digest [sha256.Size]byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.right[digest]
}

func (p *passwords) remember(digest [sha256.Size]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.right) >= maxRight {
		clear(p.right) // of old hashes: there are no so many users
	}
	p.right[digest] = true
}

// mayGuess counts a password that costs a hash.
func (p *passwords) mayGuess(remote string) bool {
	address := sourceOf(remote)
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.guesses[address]
	if l == nil {
		if len(p.guesses) >= maxGuessers {
			p.forgetIdle()
		}
		if len(p.guesses) >= maxGuessers {
			return false
		}
		l = rate.NewLimiter(rate.Every(guessEvery), guessBurst)
		p.guesses[address] = l
	}
	return l.Allow() && p.all.Allow()
}

// forgetIdle forgets addresses that have guessed nothing for long.
func (p *passwords) forgetIdle() {
	for a, l := range p.guesses {
		if l.Tokens() >= guessBurst {
			delete(p.guesses, a)
		}
	}
}

// compare costs the same for a user that does not exist.
func (p *passwords) compare(hash, password string, known bool, terms *webTerms) bool {
	p.hashing.Lock()
	defer p.hashing.Unlock()
	if !known {
		for _, other := range terms.config.Users { // any: they cost alike where one hand made them
			hash = string(other)
			break
		}
	}
	right := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil
	return right && known
}

// sourceOf is whom a connection is counted for: an address of IPv4, or the network
// of 64 bits that a host of IPv6 has for itself.
func sourceOf(remote string) netip.Addr {
	a, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	address := a.Addr().Unmap().WithZone("")
	if address.Is6() && !address.IsLoopback() {
		network, _ := address.Prefix(64)
		return network.Addr()
	}
	return address
}
