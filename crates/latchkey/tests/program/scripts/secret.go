// Prints a token for each way to send a secret, or the status of the refusal.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	results := []any{}
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
		config := clientcredentials.Config{
			ClientID:     "svc",
			ClientSecret: os.Getenv("SECRET"),
			TokenURL:     os.Getenv("TOKEN_ENDPOINT"),
			Scopes:       []string{"api:read"},
			AuthStyle:    style,
		}
		token, err := config.Token(context.Background())
		var refused *oauth2.RetrieveError
		switch {
		case errors.As(err, &refused):
			results = append(results, map[string]int{"refused": refused.Response.StatusCode})
		case err != nil:
			panic(err)
		default:
			results = append(results, token.AccessToken)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		panic(err)
	}
}
