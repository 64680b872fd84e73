package sandbox

import "net/http"

type page struct{}

func newPage() page { return page{} }

func (s *Sandbox) routePage(*http.ServeMux) {}
