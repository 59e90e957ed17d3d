/** A real server of this checkout in a folder of its own, with the console that `make console` built. */

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../../..");
export const PYTHON = join(ROOT, ".venv/bin/python");
export const KEY = "a key of the test";
const READY = /headwater answers HTTP on (\S+)[^]*headwater ready on (\S+)/;

export interface Server {
  /** The origin of the HTTP port. */
  http: string;
  /** The address of gRPC. */
  grpc: string;
  stop: () => Promise<void>;
}

/** The environment of programs that run from this checkout. */
export const environment = (): NodeJS.ProcessEnv => ({ ...process.env, PYTHONPATH: `${ROOT}:${join(ROOT, "client")}`, PYTHONUNBUFFERED: "1" });

/** Starts the server. */
export async function started(): Promise<Server> {
  const data = await mkdtemp(join(tmpdir(), "headwater-console-"));
  const options = ["-m", "server", "--data", join(data, "data"), "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--api-key", KEY];
  const child = spawn(PYTHON, options, { cwd: ROOT, env: environment(), stdio: ["ignore", "pipe", "pipe"] });
  const [, http, grpc] = await said(child);
  const stop = async () => {
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    await ended;
    await rm(data, { recursive: true, force: true });
  };
  return { http: `http://${http}`, grpc: grpc!, stop };
}

function said(child: ChildProcess): Promise<RegExpExecArray> {
  return new Promise((done, failed) => {
    let text = "";
    const hear = (piece: Buffer) => {
      text += piece.toString();
      const found = READY.exec(text);
      if (found) done(found);
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", (piece: Buffer) => (text += piece.toString()));
    child.once("exit", (code) => failed(new Error(`the server ended with ${code}:\n${text}`)));
  });
}
