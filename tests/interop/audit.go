package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// What proves one thing that an officer was told.
type auditProof struct {
	Bytes     string `json:"bytes"`
	Salt      string `json:"salt"`
	Entry     string `json:"entry"`
	TlogProof string `json:"tlog_proof"`
	Row       *struct {
		Bytes string   `json:"bytes"`
		Index int64    `json:"index"`
		Path  []string `json:"path"`
	} `json:"row"`
}

// An entry's head: u8 1, u8 type, u64 time, tenant 8, commitment 32.
const (
	typeAt       = 1
	commitmentAt = 1 + 1 + 8 + 8
)

func commitmentOf(entryType byte, salt, committed []byte) []byte {
	hash := sha256.New()
	hash.Write([]byte("cdp-ledger/commit/v1\x00"))
	hash.Write([]byte{entryType})
	hash.Write(salt)
	hash.Write(binary.BigEndian.AppendUint32(nil, uint32(len(committed))))
	hash.Write(committed)
	return hash.Sum(nil)
}

// The number of rows and their root: the end of what a batch's entry commits to.
func rowsOf(batch []byte) (rows int64, root tlog.Hash, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("a batch that cannot be read")
		}
	}()
	text := func() {
		batch = batch[4+binary.BigEndian.Uint32(batch):]
	}
	batch = batch[1+8+1:] // format, number, kind
	for range [6]int{} {  // role, reader, channel, recipient, country, purpose
		text()
	}
	batch = batch[8+8+8:] // first, last, size of the ledger
	rows = int64(binary.BigEndian.Uint32(batch))
	reasons := binary.BigEndian.Uint32(batch[4:])
	for batch = batch[8:]; reasons > 0; reasons-- {
		text()
		batch = batch[8:]
	}
	if len(batch) != tlog.HashSize {
		return 0, root, errors.New("a batch with another end")
	}
	copy(root[:], batch)
	return rows, root, nil
}

func (p auditProof) checkRow(batch []byte) error {
	rows, root, err := rowsOf(batch)
	if err != nil {
		return err
	}
	leaf, err := base64.StdEncoding.DecodeString(p.Row.Bytes)
	if err != nil {
		return err
	}
	var path tlog.RecordProof
	for _, text := range p.Row.Path {
		var hash tlog.Hash
		if n, err := hex.Decode(hash[:], []byte(text)); err != nil || n != tlog.HashSize {
			return fmt.Errorf("no hash: %q", text)
		}
		path = append(path, hash)
	}
	return tlog.CheckRecord(path, rows, root, p.Row.Index, tlog.RecordHash(leaf))
}

func (p auditProof) check(verifiers note.Verifiers) error {
	committed, err1 := base64.StdEncoding.DecodeString(p.Bytes)
	entry, err2 := base64.StdEncoding.DecodeString(p.Entry)
	salt, err3 := hex.DecodeString(p.Salt)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if len(entry) < commitmentAt+sha256.Size {
		return errors.New("an entry that cannot be read")
	}
	said := entry[commitmentAt : commitmentAt+sha256.Size]
	if !bytes.Equal(said, commitmentOf(entry[typeAt], salt, committed)) {
		return errors.New("the entry commits to something else")
	}
	if err := checkProof(p.TlogProof, verifiers, func(int64) []byte { return entry }); err != nil {
		return err
	}
	if p.Row == nil {
		return nil
	}
	return p.checkRow(committed)
}

// Every member `proof` of an answer; how many hold.
func checkAudit(document []byte, verifiers note.Verifiers) (int, error) {
	var object map[string]json.RawMessage
	var list []json.RawMessage
	held := 0
	if json.Unmarshal(document, &list) != nil && json.Unmarshal(document, &object) != nil {
		return 0, nil
	}
	for name, member := range object {
		if name != "proof" {
			list = append(list, member)
			continue
		}
		var proof auditProof
		if err := json.Unmarshal(member, &proof); err != nil {
			return held, err
		}
		if err := proof.check(verifiers); err != nil {
			return held, err
		}
		held++
	}
	for _, member := range list {
		below, err := checkAudit(member, verifiers)
		held += below
		if err != nil {
			return held, err
		}
	}
	return held, nil
}
