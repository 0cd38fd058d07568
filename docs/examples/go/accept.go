// What an API does with the token of a request, beside verify.go.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
)

func main() {
	claims, err := Verify(context.Background(), os.Getenv("TOKEN"))
	if err != nil {
		log.Fatal(err)
	}
	scope, _ := claims["scope"].(string)
	if !strings.Contains(" "+scope+" ", " orders:read ") {
		log.Fatal("403")
	}
	if IsMachine(claims) {
		fmt.Println("accepted: a service")
	} else {
		fmt.Println("accepted: a person")
	}
}
