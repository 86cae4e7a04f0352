package http1

import "testing"

const typicalHead = "GET /prod/pets/42?expand=owner&limit=10 HTTP/1.1\r\nHost: api.example.com\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: application/json\r\nAccept-Encoding: gzip, deflate, br\r\n" +
	"Accept-Language: en\r\nCookie: session=0123456789abcdef0123456789abcdef\r\nX-Request-Source: web\r\nConnection: keep-alive\r\n\r\n"

const typicalResponse = "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/json\r\n" +
	"Content-Length: 200\r\nServer: backend\r\nCache-Control: no-store\r\n\r\n"

const typicalChunks = "40\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n" +
	"40\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n0\r\n\r\n"

func TestCodecDoesNotAllocate(t *testing.T) {
	var r Request
	var resp Response
	head, answer := []byte(typicalHead), []byte(typicalResponse)
	chunks := make([]byte, len(typicalChunks))
	out := make([]byte, 0, 4096)
	for name, f := range map[string]func(){
		"request":  func() { r.Parse(head[:HeadEnd(head, 0)], limits) },
		"kept":     func() { out = r.AppendKept(out[:0], NewSet(Host, Connection)) },
		"response": func() { resp.Parse(answer[:HeadEnd(answer, 0)]) },
		"compact": func() {
			var c Chunked
			copy(chunks, typicalChunks)
			c.Compact(chunks)
		},
		"fault": func() { r.Parse(head[:20], limits) },
	} {
		f() // the lines' first array
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	var r Request
	head := []byte(typicalHead)
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		if r.Parse(head[:HeadEnd(head, 0)], limits) != 0 {
			b.Fatal("refused")
		}
	}
}

func BenchmarkAppendKept(b *testing.B) {
	var r Request
	r.Parse([]byte(typicalHead), limits)
	drop := NewSet(Host, Connection)
	out := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		out = r.AppendKept(out[:0], drop)
	}
}

func BenchmarkParseResponse(b *testing.B) {
	var r Response
	head := []byte(typicalResponse)
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		if r.Parse(head[:HeadEnd(head, 0)]) != 0 {
			b.Fatal("refused")
		}
	}
}

func BenchmarkCompact(b *testing.B) {
	buf := make([]byte, len(typicalChunks))
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		var c Chunked
		copy(buf, typicalChunks)
		if _, _, fault := c.Compact(buf); fault != 0 {
			b.Fatal("refused")
		}
	}
}
