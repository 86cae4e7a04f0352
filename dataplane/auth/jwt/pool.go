package jwt

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// userPool matches the ARN of a user pool.
//
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncognitouserpools.html
var userPool = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):cognito-idp:([a-z0-9-]+):[0-9]{12}:userpool/([a-z0-9-]+_[0-9A-Za-z]+)$`)

// poolID matches the id of a user pool.
var poolID = regexp.MustCompile(`^[a-z0-9-]+_[0-9A-Za-z]+$`)

// checkPool checks what a host says about a user pool.
func checkPool(name string, pool Pool, allowHTTP bool) error {
	if !poolID.MatchString(name) && !userPool.MatchString(name) {
		return errors.New("write the id of a user pool, such as us-east-1_aBcDeFgHi, or its ARN")
	}
	if pool.Issuer == "" && pool.JWKSURI == "" {
		return errors.New("say who issues its tokens, or where the keys are")
	}
	if pool.Issuer != "" {
		if err := checkIssuer(pool.Issuer, allowHTTP); err != nil {
			return fmt.Errorf("issuer: %w", err)
		}
	}
	if pool.JWKSURI != "" {
		if err := checkURL(pool.JWKSURI, allowHTTP); err != nil {
			return fmt.Errorf("jwks_uri: %w", err)
		}
	}
	return nil
}

// checkIssuer checks the URL of an issuer.
func checkIssuer(text string, allowHTTP bool) error {
	if err := checkURL(text, allowHTTP); err != nil {
		return err
	}
	if strings.Contains(text, "?") {
		return fmt.Errorf("%q: write it without a query", text)
	}
	return nil
}

// pool returns who issues the tokens of a user pool, and where the keys are.
//
// Source: https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
func (o *Options) pool(arn string) (place, error) {
	part := userPool.FindStringSubmatch(arn)
	if part == nil {
		return place{}, fmt.Errorf("%q is not the ARN of a user pool: write arn:aws:cognito-idp:REGION:ACCOUNT:userpool/ID", arn)
	}
	partition, region, id := part[1], part[2], part[3]
	domain := "amazonaws.com"
	if partition == "aws-cn" {
		domain += ".cn"
	}
	at := place{issuer: "https://cognito-idp." + region + "." + domain + "/" + id}
	mapped, ok := o.Pools[arn]
	if !ok {
		mapped = o.Pools[id]
	}
	if mapped.Issuer != "" {
		at.issuer = mapped.Issuer
	}
	at.jwksURI = mapped.JWKSURI
	return at, nil
}
