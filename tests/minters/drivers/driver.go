// Mints what lines of stdin ask for, and answers each with a line.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"driver/clickproof"
)

type ask struct {
	Keys    string          `json:"keys"`
	BaseURL string          `json:"base_url"`
	Kind    string          `json:"kind"`
	Copy    clickproof.Copy `json:"copy"`
	LinkID  string          `json:"link_id"`
	URL     string          `json:"url"`
}

func (a ask) href() (string, error) {
	minter, err := clickproof.NewMinter(a.Keys, a.BaseURL)
	if err != nil {
		return "", err
	}
	switch a.Kind {
	case "open":
		return minter.Open(a.Copy, a.LinkID)
	case "unsubscribe":
		return minter.Unsubscribe(a.Copy, a.LinkID)
	case "confirm":
		return minter.Confirm(a.Copy, a.LinkID, a.URL)
	}
	return minter.Click(a.Copy, a.LinkID, a.URL)
}

func main() {
	lines, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var line ask
		err := lines.Decode(&line)
		if err == io.EOF {
			return
		}
		var href string
		// What does not fit a field's type, the compiler keeps from the minter: the decoder's error stands for its.
		if err == nil {
			href, err = line.href()
		}
		answer := any(map[string]any{"href": href, "headers": clickproof.UnsubscribeHeaders(href)})
		if err != nil {
			answer = map[string]string{"error": err.Error()}
		}
		if err := answers.Encode(answer); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
