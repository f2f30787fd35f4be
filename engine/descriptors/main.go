// Prints the protobuf descriptors of the pinned CometBFT, as one FileDescriptorSet: what the test of abci.proto compares with.
package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"log"
	"os"

	_ "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/cosmos/gogoproto/protoc-gen-gogo/descriptor"
)

func main() {
	set := &descriptor.FileDescriptorSet{}
	for _, name := range []string{"tendermint/abci/types.proto", "tendermint/crypto/keys.proto"} {
		reader, err := gzip.NewReader(bytes.NewReader(proto.FileDescriptor(name)))
		if err != nil {
			log.Fatal(err)
		}
		encoded, err := io.ReadAll(reader)
		if err != nil {
			log.Fatal(err)
		}
		file := &descriptor.FileDescriptorProto{}
		if err := proto.Unmarshal(encoded, file); err != nil {
			log.Fatal(err)
		}
		set.File = append(set.File, file)
	}
	encoded, err := proto.Marshal(set)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := os.Stdout.Write(encoded); err != nil {
		log.Fatal(err)
	}
}
