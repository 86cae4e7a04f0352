package dataplane

// FlushAuthorizers implements control.Gateway.
func (g *Gateway) FlushAuthorizers(apiID, stage string) error { return nil }
