import (
	"context"
	"errors"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

// NewKeys fetches the keys, and fetches them again in the background until the context ends.
func NewKeys(ctx context.Context) (keyfunc.Keyfunc, error) {
	return keyfunc.NewDefaultCtx(ctx, []string{{jwks}})
}

// Verify returns the claims of a valid access token; every other token is an error.
func Verify(raw string, keys keyfunc.Keyfunc) (jwt.MapClaims, error) {
	claims := jwt.MapClaims{}
	token, err := jwt.ParseWithClaims(raw, claims, keys.Keyfunc,
		jwt.WithIssuer({issuer}),
		jwt.WithAudience({audience}),
		jwt.WithValidMethods([]string{{algorithm}}),
		jwt.WithExpirationRequired(),
	)
	if err != nil {
		return nil, err
	}
	if token.Header["typ"] != {typ} {
		return nil, errors.New("this is no access token")
	}
	return claims, nil
}
