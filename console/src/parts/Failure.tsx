/** How a failure is shown: its code and reason, the fields that are wrong, and the message. All of it is text. */

import { CallError } from "../api/call";

export function Failure({ error }: { error: unknown }) {
  if (error === undefined || error === null) return null;
  const failure = error instanceof CallError ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  const fields = failure?.violations.filter((each) => each.field) ?? [];
  return (
    <div class="failure" role="alert">
      <div class="failure-kind">
        <strong>{failure ? failure.code.replaceAll("_", " ") : "error"}</strong>
        {failure?.reason && <code>{failure.reason}</code>}
      </div>
      {fields.length ? (
        <dl>
          {fields.map((each) => (
            <div key={each.field}>
              <dt>
                <code>{each.field}</code>
              </dt>
              <dd>{withoutField(each.description, each.field)}</dd>
            </div>
          ))}
        </dl>
      ) : (
        <p>{message}</p>
      )}
      {failure?.code === "permission_denied" && <p>The api-key of this page may not do this.</p>}
      {failure?.code === "unauthenticated" && <p>Set the api-key with the key button at the top.</p>}
    </div>
  );
}

const withoutField = (text: string, field: string): string =>
  text.startsWith(`${field}: `) ? text.slice(field.length + 2) : text;
