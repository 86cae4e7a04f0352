package lambda

import "testing"

func TestEnvironment(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(name, "")
	}
	if Environment() != nil {
		t.Error("credentials out of nothing")
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIA")
	if Environment() != nil {
		t.Error("half of the credentials")
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_SESSION_TOKEN", "session")
	got, err := Environment().Retrieve(t.Context())
	if err != nil || got.AccessKeyID != "AKIA" || got.SecretAccessKey != "secret" || got.SessionToken != "session" {
		t.Errorf("%+v, %v", got, err)
	}
}
