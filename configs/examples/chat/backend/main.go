// Command backend is the chat example's service behind the gateway. It is an
// ordinary HTTP server that speaks no WebSocket: the gateway calls it when somebody
// connects, sends a message or leaves, and it answers by calling the gateway's
// @connections address with the AWS SDK. It also serves the page.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "`address` to serve on")
	gateway := flag.String("gateway", "http://localhost:8080/prod", "`URL` of the API's stage")
	region := flag.String("region", "us-east-1", "region of the host file")
	flag.Parse()
	if os.Getenv("AWS_ACCESS_KEY_ID") == "" || os.Getenv("AWS_SECRET_ACCESS_KEY") == "" {
		log.Fatal("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a key that tidegate iam create-key made")
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("chat on http://%s\n", l.Addr())
	r := newRoom(connections(*gateway, *region))
	server := &http.Server{Handler: handler(r, *gateway), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(l))
}

// connections is a client of the gateway's @connections address, which signs its
// calls.
func connections(gateway, region string) *apigatewaymanagementapi.Client {
	return apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		BaseEndpoint: aws.String(gateway),
		Region:       region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			key := aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}
			if !key.HasKeys() {
				return key, errors.New("no access key in the environment")
			}
			return key, nil
		}),
	})
}
