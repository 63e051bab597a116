// Checks a live ledger with Go's own log code, which has never heard of cdp.
//
//	interop URL VKEYS OLD NEW PROOF...
//
// VKEYS holds verifier keys, one a line; OLD a checkpoint seen before, or nothing; NEW is where the
// present one is written. Each PROOF is a tlog-proof of some entry, or an audit's answer (.json).
// Prints what it checked.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func fetch(url string) ([]byte, error) {
	answer, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

// A tree as Go's own database writes it, but for its first line, which is the log's name.
func openCheckpoint(signed []byte, verifiers note.Verifiers) (tlog.Tree, error) {
	opened, err := note.Open(signed, verifiers)
	if err != nil {
		return tlog.Tree{}, err
	}
	origin, rest, _ := strings.Cut(opened.Text, "\n")
	if origin != opened.Sigs[0].Name {
		return tlog.Tree{}, fmt.Errorf("origin %q is signed by %q", origin, opened.Sigs[0].Name)
	}
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

// Where this log has what Go's database keeps below tile/8/.
func pathOf(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
}

type reader struct{ url string }

func (r reader) Height() int { return height }

func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		data, err := fetch(r.url + "/" + pathOf(tile))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func (r reader) SaveTiles([]tlog.Tile, [][]byte) {}

// Every entry of the tree, out of its bundles.
func entries(url string, size int64) ([][]byte, error) {
	var out [][]byte
	for int64(len(out)) < size {
		tile := tlog.Tile{H: height, L: 0, N: int64(len(out)) >> height, W: 1 << height}
		if left := size - int64(len(out)); left < 1<<height {
			tile.W = int(left)
		}
		bundle, err := fetch(url + "/" + strings.Replace(pathOf(tile), "tile/0/", "tile/entries/", 1))
		if err != nil {
			return nil, err
		}
		for i := 0; i < tile.W; i++ {
			if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
				return nil, errors.New("a bundle is cut")
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			out = append(out, bundle[2:end])
			bundle = bundle[end:]
		}
		if len(bundle) != 0 {
			return nil, errors.New("a bundle has more than its entries")
		}
	}
	return out, nil
}

func checkInclusion(url string, tree tlog.Tree, all [][]byte) error {
	hashes := tlog.TileHashReader(tree, reader{url})
	for i, entry := range all {
		proof, err := tlog.ProveRecord(tree.N, int64(i), hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(i), tlog.RecordHash(entry)); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
	}
	return nil
}

func checkConsistency(url string, old, tree tlog.Tree) error {
	if old.N == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, reader{url}))
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

func checkProof(text string, verifiers note.Verifiers, entryAt func(int64) []byte) error {
	head, checkpoint, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("that is no tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		bytes, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(bytes) != tlog.HashSize {
			return fmt.Errorf("no hash: %q", line)
		}
		var hash tlog.Hash
		copy(hash[:], bytes)
		proof = append(proof, hash)
	}
	tree, err := openCheckpoint([]byte(checkpoint), verifiers)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entryAt(index)))
}

func verifiersIn(file string) (note.Verifiers, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []note.Verifier
	for _, line := range strings.Fields(string(text)) {
		verifier, err := note.NewVerifier(line)
		if err != nil {
			return nil, err
		}
		list = append(list, verifier)
	}
	return note.VerifierList(list...), nil
}

func run(url, keys, oldFile, newFile string, proofs []string) error {
	verifiers, err := verifiersIn(keys)
	if err != nil {
		return err
	}
	signed, err := fetch(url + "/checkpoint")
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(signed, verifiers)
	if err != nil {
		return err
	}
	all, err := entries(url, tree.N)
	if err != nil {
		return err
	}
	if err := checkInclusion(url, tree, all); err != nil {
		return err
	}
	if before, err := os.ReadFile(oldFile); err == nil {
		old, err := openCheckpoint(before, verifiers)
		if err != nil {
			return err
		}
		if err := checkConsistency(url, old, tree); err != nil {
			return err
		}
		fmt.Printf("consistent with the tree of %d; ", old.N)
	}
	held := 0
	for _, file := range proofs {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		holds := 1
		if strings.HasSuffix(file, ".json") {
			holds, err = checkAudit(text, verifiers)
		} else {
			err = checkProof(string(text), verifiers, func(index int64) []byte { return all[index] })
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		held += holds
	}
	fmt.Printf("%d entries included, %d proofs hold\n", tree.N, held)
	return os.WriteFile(newFile, signed, 0o600)
}

func main() {
	if len(os.Args) < 5 {
		fmt.Fprintln(os.Stderr, "usage: interop URL VKEYS OLD NEW PROOF...")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5:]); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}
