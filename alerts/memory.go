package alerts

// memory remembers a value for each of the keys used last.
type memory[T any] struct {
	keys   slots
	values slab[T]
}

func newMemory[T any](max int) *memory[T] { return &memory[T]{keys: newSlots(max)} }

// get is the value of a key, nil where there is none.
func (m *memory[T]) get(k key) *T {
	if slot, ok := m.keys.get(k); ok {
		return m.values.at(slot)
	}
	return nil
}

// add gives a key that has none a value: a new one, or what another key had
// that had to go for it.
func (m *memory[T]) add(k key) (value *T, taken bool) {
	slot, taken := m.keys.add(k)
	return m.values.at(slot), taken
}
