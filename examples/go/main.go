// Wordcount prints how many words its standard input has.
package main

import (
	"bufio"
	"fmt"
	"os"
)

// version is set by the linker.
var version = "unknown"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--version" {
		fmt.Println("wordcount", version)
		return
	}
	words, count := bufio.NewScanner(os.Stdin), 0
	words.Split(bufio.ScanWords)
	for words.Scan() {
		count++
	}
	if err := words.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "wordcount:", err)
		os.Exit(1)
	}
	fmt.Println(count)
}
