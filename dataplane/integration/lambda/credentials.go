package lambda

import (
	"context"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Environment provides the credentials in the environment of the process, where
// AWS's own tools look for them. It is nil if there are none.
func Environment() aws.CredentialsProvider {
	c := aws.Credentials{
		AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: os.Getenv("AWS_SESSION_TOKEN"), Source: "environment",
	}
	if !c.HasKeys() {
		return nil
	}
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil })
}
