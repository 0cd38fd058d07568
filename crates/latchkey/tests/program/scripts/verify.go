// Verifies a token for each question on standard input, and prints the result. Finds the keys in the metadata
// of OpenID Connect, and keeps them meanwhile.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	oidc "github.com/coreos/go-oidc"
)

type question struct {
	Issuer, Audience, Token string
	Algorithms              []string
}

func main() {
	ctx, providers := context.Background(), map[string]*oidc.Provider{}
	check := func(q question) (map[string]any, error) {
		if providers[q.Issuer] == nil {
			provider, err := oidc.NewProvider(ctx, q.Issuer)
			if err != nil {
				panic(err)
			}
			providers[q.Issuer] = provider
		}
		config := oidc.Config{ClientID: q.Audience, SupportedSigningAlgs: q.Algorithms}
		token, err := providers[q.Issuer].Verifier(&config).Verify(ctx, q.Token)
		if err != nil {
			return nil, err
		}
		claims := map[string]any{}
		return claims, token.Claims(&claims)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		answer := map[string]any{}
		if claims, err := check(q); err != nil {
			answer["refused"] = err.Error()
		} else {
			answer["claims"] = claims
		}
		text, _ := json.Marshal(answer)
		fmt.Println(string(text))
	}
}
