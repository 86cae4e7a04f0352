// Package proxy turns the definition of an HTTP or HTTP_PROXY integration into
// a program that writes the backend's request from the client's, and the
// client's answer from the backend's.
//
// What does not change is copied as it came, in runs of whole header lines;
// nothing is decoded and encoded again. How headers are treated is AWS's:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
package proxy
