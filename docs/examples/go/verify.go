// Checks access tokens. `latchkey tenant add` prints the lines between the two marks with the tenant's own values, as a file of its own.
package main

// snippet
import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const jwks = "http://localhost:3000/api/v1/tenant/globex/.well-known/jwks.json"

var (
	mutex   sync.Mutex
	keys    oidc.KeySet
	expires time.Time
)

// keySet is replaced every hour: a RemoteKeySet does not fetch again for a key that it has, also when the server has removed that key.
func keySet() oidc.KeySet {
	mutex.Lock()
	defer mutex.Unlock()
	if now := time.Now(); now.After(expires) {
		keys, expires = oidc.NewRemoteKeySet(context.Background(), jwks), now.Add(time.Hour)
	}
	return keys
}

// Verify returns the claims of a valid access token; every other token is an error.
func Verify(ctx context.Context, raw string) (map[string]any, error) {
	verifier := oidc.NewVerifier("http://localhost:3000/api/v1/tenant/globex", keySet(), &oidc.Config{
		ClientID:             "orders-api",
		SupportedSigningAlgs: []string{"RS256"},
	})
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	// go-oidc is made for ID tokens, and does not look at the type.
	var header struct{ Typ string }
	text, err := base64.RawURLEncoding.DecodeString(strings.SplitN(raw, ".", 2)[0])
	if err != nil || json.Unmarshal(text, &header) != nil || header.Typ != "at+jwt" {
		return nil, errors.New("this is no access token")
	}
	claims := map[string]any{}
	if err := token.Claims(&claims); err != nil {
		return nil, err
	}
	if _, bound := claims["cnf"]; bound {
		return nil, errors.New("the token is bound to a key, which this API does not check")
	}
	return claims, nil
}

// IsMachine says whether the client calls for itself: the token of a service. A person's token has the person as sub.
func IsMachine(claims map[string]any) bool {
	client, named := claims["client_id"].(string)
	return named && claims["sub"] == client
}

// end of snippet
