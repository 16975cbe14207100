// An independent opinion on an exported ledger: golang.org/x/mod/sumdb note and tlog over C2SP's paths.
//
//	oracle DIR VKEY
//
// Opens every checkpoint, rebuilds the root from the entry bundles, reads every leaf through the tiles (which tlog authenticates against the root), and
// checks the proofs in DIR/proofs ("*.tlog-proof", and "consistency": old size, new size and the nodes, a line each). Exit 0: all holds. 1: the first fault.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var dir string
var verifiers note.Verifiers
var origin string

func main() {
	dir = os.Args[1]
	verifier, err := note.NewVerifier(os.Args[2])
	check(err)
	verifiers = note.VerifierList(verifier)
	origin = verifier.Name()

	tree := open("checkpoint", read("checkpoint"))
	leaves := entries(tree)
	tiles := tlog.TileHashReader(tree, reader{})
	// A tile's leaves at a time: each call reads and authenticates all tiles on the way to the root.
	for start := int64(0); start < tree.N; start += 256 {
		var indexes []int64
		for i := start; i < start+256 && i < tree.N; i++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, i))
		}
		hashes, err := tiles.ReadHashes(indexes)
		check(err)
		for i, hash := range hashes {
			if hash != leaves[start+int64(i)] {
				fail("entry %d is not what its tile says", start+int64(i))
			}
		}
	}
	kept := 0
	check(filepath.Walk(filepath.Join(dir, "checkpoints"), func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if info.IsDir() {
			return nil
		}
		text, err := os.ReadFile(path)
		check(err)
		old := open(path, text)
		if old.N == 0 {
			return nil
		}
		proof, err := tlog.ProveTree(tree.N, old.N, tiles)
		check(err)
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
			fail("%s: %v", path, err)
		}
		kept++
		return nil
	}))
	proofs := 0
	names, err := filepath.Glob(filepath.Join(dir, "proofs", "*.tlog-proof"))
	check(err)
	for _, name := range names {
		record(name, leaves)
		proofs++
	}
	consistency(tree)
	fmt.Printf("good: %d entries, %d checkpoints, %d proofs\n", tree.N, kept, proofs)
}

func open(name string, text []byte) tlog.Tree {
	n, err := note.Open(text, verifiers)
	if err != nil {
		fail("%s: %v", name, err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != origin || lines[3] != "" {
		fail("%s: not a checkpoint of this ledger", name)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	hash, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: hash}
}

// entries hashes every entry of every bundle and demands that they lead to the root.
func entries(tree tlog.Tree) []tlog.Hash {
	var stored []tlog.Hash
	var leaves []tlog.Hash
	at := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var list []tlog.Hash
		for _, i := range indexes {
			list = append(list, stored[i])
		}
		return list, nil
	})
	for n := int64(0); n*256 < tree.N; n++ {
		width := tree.N - n*256
		if width > 256 {
			width = 256
		}
		bundle := read(path("entries", n, int(width)))
		for i := int64(0); i < width; i++ {
			if len(bundle) < 2 {
				fail("bundle %d is short", n)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			if len(bundle) < 2+length {
				fail("bundle %d is short", n)
			}
			hashes, err := tlog.StoredHashes(n*256+i, bundle[2:2+length], at)
			check(err)
			stored = append(stored, hashes...)
			leaves = append(leaves, tlog.RecordHash(bundle[2:2+length]))
			bundle = bundle[2+length:]
		}
		if len(bundle) > 0 {
			fail("bundle %d is long", n)
		}
	}
	root, err := tlog.TreeHash(tree.N, at)
	check(err)
	if root != tree.Hash {
		fail("the entries have another root")
	}
	return leaves
}

func record(name string, leaves []tlog.Hash) {
	text, err := os.ReadFile(name)
	check(err)
	parts := bytes.SplitN(text, []byte("\n\n"), 2)
	lines := strings.Split(string(parts[0]), "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		fail("%s: first line", name)
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	check(err)
	tree := open(name, parts[1])
	if err := tlog.CheckRecord(hashes(lines[2:]), tree.N, tree.Hash, index, leaves[index]); err != nil {
		fail("%s: %v", name, err)
	}
}

func consistency(tree tlog.Tree) {
	lines := strings.Split(strings.TrimSuffix(string(read("proofs/consistency")), "\n"), "\n")
	old, err := strconv.ParseInt(lines[0], 10, 64)
	check(err)
	text := read("checkpoints/" + number(old))
	if err := tlog.CheckTree(tlog.TreeProof(hashes(lines[2:])), tree.N, tree.Hash, old, open("old", text).Hash); err != nil {
		fail("consistency: %v", err)
	}
}

func hashes(lines []string) tlog.RecordProof {
	var proof tlog.RecordProof
	for _, line := range lines {
		data, err := base64.StdEncoding.DecodeString(line)
		check(err)
		var hash tlog.Hash
		copy(hash[:], data)
		proof = append(proof, hash)
	}
	return proof
}

// reader finds tiles of height 8 by C2SP's paths, which are tlog's without the height.
type reader struct{}

func (reader) Height() int { return 8 }

func (reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := os.ReadFile(filepath.Join(dir, path(strconv.Itoa(t.L), t.N, t.W)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (reader) SaveTiles([]tlog.Tile, [][]byte) {}

func path(level string, n int64, width int) string {
	p := "tile/" + level + "/" + number(n)
	if width < 256 {
		p += ".p/" + strconv.Itoa(width)
	}
	return p
}

func number(n int64) string {
	s := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		s = fmt.Sprintf("x%03d/%s", n%1000, s)
	}
	return s
}

func read(name string) []byte {
	data, err := os.ReadFile(filepath.Join(dir, name))
	check(err)
	return data
}

func check(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func fail(format string, args ...interface{}) {
	fmt.Printf("bad: "+format+"\n", args...)
	os.Exit(1)
}
