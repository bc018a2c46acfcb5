// A small Go program: notes on the tenant's disk, and answers of every kind.
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

var notesFile = filepath.Join(os.Getenv("DATA_DIR"), "notes.txt")

func hello(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	io.WriteString(w, "hello from Go\n")
}

func big(w http.ResponseWriter, r *http.Request) {
	w.Write(bytes.Repeat([]byte("0123456789abcdef"), 8192))
}

func stream(w http.ResponseWriter, r *http.Request) {
	for number := 0; number < 20; number++ {
		fmt.Fprintf(w, "piece %d\n", number)
		w.(http.Flusher).Flush()
	}
}

// fields answers with a head of 8 KB, which net/http writes in pieces of 4 KB.
func fields(w http.ResponseWriter, r *http.Request) {
	for number := 0; number < 40; number++ {
		w.Header().Set(fmt.Sprintf("X-Field-%d", number), strings.Repeat("v", 180))
	}
	io.WriteString(w, "many fields\n")
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	w.Write(body)
}

func notes(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.ServeFile(w, r, notesFile)
		return
	}
	file, err := os.OpenFile(notesFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer file.Close()
	io.Copy(file, r.Body)
	w.WriteHeader(http.StatusNoContent)
}

func main() {
	http.HandleFunc("/", hello)
	http.HandleFunc("/big", big)
	http.HandleFunc("/stream", stream)
	http.HandleFunc("/fields", fields)
	http.HandleFunc("/echo", echo)
	http.HandleFunc("/notes", notes)
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, nil))
}
