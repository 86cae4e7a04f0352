package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Limits of the socket. They bound what a peer that may not call anything, or
// one that means harm, can make the gateway hold.
const (
	// maxBody is AWS's limit on an API definition plus room for the rest.
	maxBody = 6<<20 + 64<<10
	// maxAddressBytes fits a million address ranges of IPv6, as JSON.
	maxAddressBytes = 64 << 20
	maxHeader       = 16 << 10
	readTimeout     = 20 * time.Second // a whole request, and the first byte of a connection
	idleTimeout     = 30 * time.Second
	sendTimeout     = 20 * time.Second

	maxConnections     = 128
	maxConnectionsUser = 32 // of one user that is neither root nor the gateway's own

	// maxLargeBodies bounds how many bodies above largeBody are held at once.
	maxLargeBodies = 4
	largeBody      = 256 << 10

	// updateTimeout bounds one change, compilation included.
	updateTimeout = 60 * time.Second
)

// Options are what a Server needs to know of its host.
type Options struct {
	Socket    string      // path of the Unix socket
	Mode      fs.FileMode // of the socket; 0660 when 0
	Group     string      // name or number of the group that may change things; empty: none
	ReadGroup string      // name or number of the group that may look; empty: none besides Group

	Version       string
	Region        string
	Partition     string // "aws" when empty
	AccountID     string // 12 digits
	GatewayDomain string

	MaxTimeoutMillis int           // of an integration; 29000 when 0
	DrainTimeout     time.Duration // of POST /tidegate/drain; 30 s when 0

	// Check compiles a definition as a deployment would, and keeps nothing of
	// it; for /tidegate/validate. nil checks nothing beyond the import.
	Check func(*definition.Body) error

	// CheckAuthorizer and CheckPolicy say what is wrong with an authorizer or with
	// the resource policy of an API, before it is deployed. nil checks nothing.
	CheckAuthorizer func(*definition.Authorizer) error
	CheckPolicy     func(apiID, policy string) error

	Logger *slog.Logger     // gets one line for every change; slog.Default() when nil
	Now    func() time.Time // time.Now when nil
}

// Server answers the control socket.
type Server struct {
	gateway Gateway
	options Options
	log     *slog.Logger
	now     func() time.Time

	http  *fasthttp.Server
	large chan struct{} // a slot for each large body that is held
	huge  chan struct{} // the slot of those above maxBody

	ctx  context.Context // done at Shutdown
	stop context.CancelFunc

	draining atomic.Bool

	mu       sync.Mutex
	listener *listener
	access   access
}

// NewServer makes a Server that has no socket yet.
func NewServer(gateway Gateway, o Options) *Server {
	if o.Mode == 0 {
		o.Mode = 0o660
	}
	if o.Partition == "" {
		o.Partition = "aws"
	}
	if o.MaxTimeoutMillis == 0 {
		o.MaxTimeoutMillis = 29000
	}
	if o.DrainTimeout == 0 {
		o.DrainTimeout = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{
		gateway: gateway,
		options: o,
		log:     o.Logger,
		now:     o.Now,
		large:   make(chan struct{}, maxLargeBodies),
		huge:    make(chan struct{}, 1),
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.http = &fasthttp.Server{
		Handler:      s.handle,
		ErrorHandler: s.refuse,
		Logger:       quiet{s.log},

		ReadBufferSize:        maxHeader,
		ReadTimeout:           readTimeout,
		WriteTimeout:          sendTimeout,
		IdleTimeout:           idleTimeout,
		Concurrency:           2 * maxConnections, // the listener counts, more finely
		MaxIdleWorkerDuration: time.Second,
		MaxRequestBodySize:    maxBody,
		CloseOnShutdown:       true,

		// The handler sees the peer before a byte of the body is kept.
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		NoDefaultServerHeader:        true,
		NoDefaultContentType:         true,
		SecureErrorLogMessage:        true,
	}
	return s
}

// Listen makes the socket: its directory (mode 0750) if there is none, then
// the socket with its mode and group. It replaces a socket that nobody listens
// on, and fails when somebody does.
func (s *Server) Listen() error {
	acc, err := resolveAccess(s.options)
	if err != nil {
		return err
	}
	inner, err := bind(s.options.Socket, s.options.Mode, acc.owner())
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.access = acc
	s.listener = &listener{socket: inner, access: acc, users: map[uint32]int{}}
	return nil
}

// Serve answers calls until Shutdown. Listen must have succeeded.
func (s *Server) Serve() error {
	s.mu.Lock()
	l := s.listener
	s.mu.Unlock()
	if l == nil {
		return errors.New("control: Serve without Listen")
	}
	err := s.http.Serve(l)
	if s.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Hide removes the socket and accepts no more; calls in progress go on. Another
// process can have the socket then.
func (s *Server) Hide() {
	s.mu.Lock()
	l := s.listener
	s.mu.Unlock()
	if l != nil {
		_ = l.Close()
	}
}

// Shutdown removes the socket, lets calls in progress finish until ctx is done,
// and makes Serve return.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop()
	s.mu.Lock()
	l := s.listener
	s.mu.Unlock()
	if l == nil {
		return nil
	}
	return errors.Join(l.Close(), s.http.ShutdownWithContext(ctx))
}

// quiet takes what fasthttp has to say: broken connections of clients, which
// are no concern of the operator.
type quiet struct{ log *slog.Logger }

func (q quiet) Printf(format string, args ...any) {
	if q.log.Enabled(context.Background(), slog.LevelDebug) {
		q.log.Debug("control connection", "detail", fmt.Sprintf(format, args...))
	}
}
