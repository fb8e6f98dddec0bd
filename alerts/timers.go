package alerts

import "container/heap"

// timers is a heap of firing alerts by the time when something must happen to
// them; equal times go in the order in which the alerts began.
type timers []*firing

func (t *timers) push(f *firing) {
	f.due = f.next()
	heap.Push((*timerHeap)(t), f)
}

func (t *timers) pop() *firing { return heap.Pop((*timerHeap)(t)).(*firing) }

// reorder computes all times anew.
func (t *timers) reorder() {
	for _, f := range *t {
		f.due = f.next()
	}
	heap.Init((*timerHeap)(t))
}

// timerHeap keeps heap.Interface's methods out of the way.
type timerHeap []*firing

func (h timerHeap) Len() int { return len(h) }

func (h timerHeap) Less(i, j int) bool {
	if h[i].due != h[j].due {
		return h[i].due < h[j].due
	}
	return h[i].order < h[j].order
}

func (h timerHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h *timerHeap) Push(x any) { *h = append(*h, x.(*firing)) }

func (h *timerHeap) Pop() any {
	old := *h
	f := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return f
}
