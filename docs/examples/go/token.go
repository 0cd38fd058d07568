// Fetches a token. `latchkey tenant add` prints the lines between the two marks with the tenant's own values.
package main

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
)

func main() {
	// snippet
	// In a function of a file that imports encoding/json, log, net/http, net/url and os.
	answer, err := http.PostForm("http://localhost:3000/api/v1/tenant/globex/oauth/token", url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {"shipping"},
		"client_secret": {os.Getenv("CLIENT_SECRET")},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil {
		log.Fatal(err)
	}
	// end of snippet

	request, err := http.NewRequest("GET", "http://localhost:3000/api/v1/protected-resource", nil)
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token.AccessToken)
	resource, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer resource.Body.Close()
	if _, err := io.Copy(os.Stdout, resource.Body); err != nil {
		log.Fatal(err)
	}
}
