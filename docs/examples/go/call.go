// Calls an API with one token for all goroutines. golang.org/x/oauth2 makes the token requests; this renews early, and repeats after a 401.
package main

import (
	"context"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// Tokens adds the token to each request whose body can be sent twice, or that has none.
type Tokens struct {
	config  clientcredentials.Config
	mutex   sync.Mutex
	current *oauth2.Token
	renewAt time.Time
}

// token returns one that the API has not rejected. A failed renewal leaves a token that is still valid.
func (tokens *Tokens) token(rejected *oauth2.Token) (*oauth2.Token, error) {
	tokens.mutex.Lock()
	defer tokens.mutex.Unlock()
	if tokens.current == rejected || !time.Now().Before(tokens.renewAt) {
		// Not the context of a request: its end would end the request of all callers.
		renewed, err := tokens.config.Token(context.Background())
		if err == nil {
			early := time.Until(renewed.Expiry) / 10
			if early > 5*time.Minute {
				early = 5 * time.Minute
			}
			tokens.current, tokens.renewAt = renewed, renewed.Expiry.Add(-early)
		} else if tokens.current == rejected || !tokens.current.Valid() {
			return nil, err
		}
	}
	return tokens.current, nil
}

// RoundTrip repeats a request once after a 401: a token can be revoked before its end.
func (tokens *Tokens) RoundTrip(request *http.Request) (*http.Response, error) {
	first, err := tokens.token(nil)
	if err != nil {
		return nil, err
	}
	answer, err := send(request, first)
	if err != nil || answer.StatusCode != http.StatusUnauthorized {
		return answer, err
	}
	if request.Body != nil && request.GetBody == nil {
		return answer, nil
	}
	second, err := tokens.token(first)
	if err != nil {
		return answer, nil
	}
	answer.Body.Close()
	return send(request, second)
}

func send(request *http.Request, token *oauth2.Token) (*http.Response, error) {
	copied := request.Clone(request.Context())
	if request.GetBody != nil {
		body, err := request.GetBody()
		if err != nil {
			return nil, err
		}
		copied.Body = body
	}
	token.SetAuthHeader(copied)
	return http.DefaultTransport.RoundTrip(copied)
}

func main() {
	api := http.Client{Transport: &Tokens{config: clientcredentials.Config{
		ClientID:     "shipping",
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		TokenURL:     "http://localhost:3000/api/v1/tenant/globex/oauth/token",
		Scopes:       []string{"orders:read"},
	}}}
	answer, err := api.Get("http://localhost:3000/api/v1/protected-resource")
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		log.Fatal(err)
	}
}
