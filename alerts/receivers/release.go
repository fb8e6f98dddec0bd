package receivers

// CloseIdleConnections lets go of the connection that waits for the next Send. It
// is called where another receiver took the place of this one.
func (p *poster) CloseIdleConnections() { p.client.CloseIdleConnections() }

// CloseIdleConnections does the same for each instance.
func (m *Alertmanager) CloseIdleConnections() {
	for _, i := range m.instances {
		i.CloseIdleConnections()
	}
}
