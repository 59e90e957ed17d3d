/** A query as a text to copy: JSON, curl, Python and Go. */

import type { Stage } from "../api/types";
import { pythonText } from "./python_text";

export const LANGUAGES = [
  ["json", "JSON"],
  ["curl", "curl"],
  ["python", "Python"],
  ["go", "Go"],
] as const;

/** The query in a language. `address`: the origin of the HTTP port. */
export function queryText(language: string, collection: string, stage: Stage, address: string): string {
  const request = { collectionName: collection, ...stage };
  if (language === "python") return pythonText(collection, stage);
  if (language === "go") return goText(request, address);
  if (language === "curl") return curlText(request, address);
  return JSON.stringify(request, null, 2);
}

function curlText(request: object, address: string): string {
  const body = JSON.stringify(request, null, 2).replaceAll("'", `'\\''`);
  return `curl -s '${address}/headwater.v1.Points/Query' -H 'content-type: application/json' -d '${body}'\n`;
}

/** A program of Go's standard library alone. */
function goText(request: object, address: string): string {
  const body = JSON.stringify(request, null, "\t");
  const literal = body.includes("`") ? JSON.stringify(body) : `\`${body}\``;
  return `package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
)

const query = ${literal}

type hit struct {
	ID struct {
		Number string \`json:"number"\`
		Key    string \`json:"key"\`
	} \`json:"id"\`
	Score float64 \`json:"score"\`
}

func main() {
	reply, err := http.Post(${JSON.stringify(`${address}/headwater.v1.Points/Query`)}, "application/json", strings.NewReader(query))
	if err != nil {
		log.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		log.Fatal(err)
	}
	if reply.StatusCode != http.StatusOK {
		log.Fatalf("%s: %s", reply.Status, body)
	}
	var answer struct {
		Result struct {
			Points []hit \`json:"points"\`
		} \`json:"result"\`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		log.Fatal(err)
	}
	for _, each := range answer.Result.Points {
		fmt.Println(each.ID.Number+each.ID.Key, each.Score)
	}
}
`;
}
