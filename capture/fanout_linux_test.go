package capture_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
)

func openShards(t testing.TB, o capture.LiveOptions, n int) []*capture.Live {
	t.Helper()
	o.Ports, o.PollTimeout, o.BufferBytes = []uint16{livePort}, pollTimeout, 6<<20
	list, err := capture.OpenShards(o, n)
	if errors.Is(err, capture.ErrNoLive) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, l := range list {
			l.Close()
		}
	})
	return list
}

// Both directions of a connection come from the shard that ShardOf names, after
// the interface was down or made anew too, whichever way they cross it.
func TestShards(t *testing.T) {
	namespace(t)
	const shards = 3
	in, out := openShards(t, capture.LiveOptions{Interface: "rx0"}, shards), openShards(t, capture.LiveOptions{Interface: "tx0"}, shards)
	random := rand.New(rand.NewPCG(5, 6))
	check := func() {
		t.Helper()
		sendConnections(t, random)
		for _, list := range [][]*capture.Live{in, out} {
			checkShards(t, list)
		}
	}
	check()
	ip(t, "link set rx0 down")
	ip(t, "link set tx0 down")
	awaitAll(t, append(in, out...), capture.ErrDown)
	ip(t, "link set tx0 up")
	ip(t, "link set rx0 up")
	awaitAll(t, append(in, out...), nil)
	check()
	ip(t, "link del rx0")
	awaitAll(t, append(in, out...), capture.ErrNoInterface)
	makePair(t)
	awaitAll(t, append(in, out...), nil)
	check()
}

// Shards that are taken from an interface which is back under its number join again in
// their order, whoever sees it first.
func TestShardsComeBackUnderTheirNumber(t *testing.T) {
	namespace(t)
	remake(t)
	list := openShards(t, capture.LiveOptions{Interface: "rx0"}, 3)
	remake(t)
	batch := make([]capture.Packet, 64)
	for _, first := range []int{2, 1, 0} {
		l := list[first]
		await(t, l, "news of it", func([]capture.Packet) bool { return l.Problem() != nil })
		if n, err := l.NextBatch(batch); n != 0 || err != capture.ErrTimeout {
			t.Errorf("shard %d: %d, %v", first, n, err)
		}
	}
	awaitAll(t, list, nil)
	sendConnections(t, rand.New(rand.NewPCG(7, 8)))
	checkShards(t, list)
}

// connections is how many a check sends, each with a packet of either direction.
const connections = 60

func sendConnections(t *testing.T, random *rand.Rand) {
	t.Helper()
	s := newSender(t, "tx0")
	for n := range connections {
		port := random.IntN(1 << 16)
		there, back := tcpSegment(port, livePort, "", ""), tcpSegment(livePort, port, "", "")
		if n%2 == 0 {
			client, server := random.Uint32(), random.Uint32()
			s.send(t, eth(0x0800, addressed4(client, server, "", there)), eth(0x8100, tag(100, 0x0800, addressed4(server, client, "\x01\x01\x01\x01", back))))
			continue
		}
		client, server := []uint64{random.Uint64(), random.Uint64()}, []uint64{random.Uint64(), random.Uint64()}
		s.send(t, eth(0x86dd, addressed6(client, server, there)), eth(0x88a8, tag(200, 0x8100, tag(100, 0x86dd, addressed6(server, client, back)))))
	}
	s.send(t, macs+eth(0x0800, overGRE("\x00\x00"+over4(reset(40000, livePort))))[12:])
}

// checkShards takes what was sent from all shards.
func checkShards(t *testing.T, list []*capture.Live) {
	t.Helper()
	seen := make([]int, len(list))
	total, empty := 0, 0
	batch := make([]capture.Packet, 64)
	var d packet.Decoder
	var s packet.Segment
	for total < 2*connections+1 && empty < 500 {
		for shard, l := range list {
			n, err := l.NextBatch(batch)
			if err == capture.ErrTimeout {
				empty++
			} else if err != nil {
				t.Fatal(err)
			}
			for i := range batch[:n] {
				if d.Decode(&batch[i], &s) != packet.OK {
					continue
				}
				total++
				seen[shard]++
				if want := shardOf(&s, len(list)); s.TunnelCount == 0 && shard != want || s.TunnelCount > 0 && shard != 0 {
					t.Errorf("%v to %v came from shard %d, ShardOf says %d", s.From(), s.To(), shard, want)
				}
			}
		}
	}
	if total != 2*connections+1 {
		t.Errorf("%d packets of %d", total, 2*connections+1)
	}
	for shard, n := range seen {
		if n == 0 {
			t.Errorf("shard %d has nothing: %v", shard, seen)
		}
	}
}

func shardOf(s *packet.Segment, shards int) int {
	src, dst := s.From().Addr().As16(), s.To().Addr().As16()
	half := func(b []byte) (v uint64) {
		for _, c := range b {
			v = v<<8 | uint64(c)
		}
		return v
	}
	return capture.ShardOf(half(src[:8]), half(src[8:]), half(dst[:8]), half(dst[8:]), 0, 0, shards)
}

// awaitAll lets all shards read until each has the problem.
func awaitAll(t *testing.T, list []*capture.Live, why error) {
	t.Helper()
	batch := make([]capture.Packet, 64)
	for end := time.Now().Add(limit); ; {
		there := 0
		for _, l := range list {
			if _, err := l.NextBatch(batch); err != nil && err != capture.ErrTimeout {
				t.Fatal(err)
			}
			if p := l.Problem(); p == nil && why == nil || why != nil && errors.Is(p, why) {
				there++
			}
		}
		if there == len(list) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not all shards have the problem %v within %v", why, limit)
		}
	}
}

// A buffer that is too small for all shards gives fewer of them, whose blocks hold the
// largest frames.
func TestShardsOfASmallBuffer(t *testing.T) {
	namespace(t)
	list, err := capture.OpenShards(capture.LiveOptions{Interface: "lo", Ports: []uint16{livePort}, PollTimeout: pollTimeout, BufferBytes: 2 << 20}, 64)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		for _, l := range list {
			l.Close()
		}
	}()
	if len(list) != 8 {
		t.Fatalf("%d shards, want 8", len(list))
	}
	frame := macs + over4(reset(40000, livePort)+strings.Repeat("a", 65000))
	newSender(t, "lo").send(t, frame)
	came := 0
	for end := time.Now().Add(limit); came == 0 && time.Now().Before(end); {
		batch := make([]capture.Packet, 8)
		for _, l := range list {
			n, _ := l.NextBatch(batch)
			for _, p := range batch[:n] {
				if came++; len(p.Data) != len(frame) {
					t.Errorf("%d octets of %d", len(p.Data), len(frame))
				}
			}
		}
	}
	if came != 1 {
		t.Errorf("%d packets", came)
	}
}

// libpcap cannot share: its one capture has everything.
func TestShardsOfPcap(t *testing.T) {
	namespace(t)
	list := openShards(t, capture.LiveOptions{Interface: "rx0", Method: capture.MethodPcap}, 3)
	if len(list) != 1 {
		t.Fatalf("%d captures", len(list))
	}
	newSender(t, "tx0").send(t, macs+over4(reset(40000, livePort)))
	collect(t, list[0], 1)
}
