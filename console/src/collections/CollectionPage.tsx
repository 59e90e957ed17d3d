/** The pages of one collection, as tabs. */

import { RecallPage } from "../recall/RecallPage";
import { ComparePage } from "../compare/ComparePage";
import { Failure } from "../parts/Failure";
import { useLoaded } from "../parts/loading";
import { PointsPage } from "../points/PointsPage";
import { QueryPage } from "../query/QueryPage";
import { href } from "../shell/router";
import { knownInfoOf } from "./health";
import { Overview } from "./Overview";

const TABS = [
  ["overview", "Overview"],
  ["points", "Points"],
  ["query", "Query"],
  ["compare", "Compare"],
  ["recall", "Recall"],
] as const;

export function CollectionPage({ name, tab }: { name: string; tab: string }) {
  // To ask for the settings opens a collection that is closed. The overview does not do that.
  const needed = tab !== "overview";
  const { value: info, error } = useLoaded(async (signal) => (needed ? knownInfoOf(name, signal) : undefined), [name, needed]);
  return (
    <>
      <div class="head">
        <div class="row name-row">
          <a class="up" href={href("collections")} aria-label="All collections">
            ‹
          </a>
          <h1>{name}</h1>
        </div>
        <nav class="tabs" aria-label="Pages of the collection">
          {TABS.map(([each, text]) => (
            <a key={each} href={href("collections", name, each)} aria-current={each === tab ? "page" : undefined}>
              {text}
            </a>
          ))}
        </nav>
      </div>
      <Failure error={error} />
      {tab === "overview" && <Overview name={name} />}
      {info && tab === "points" && <PointsPage info={info} />}
      {info && tab === "query" && <QueryPage info={info} />}
      {info && tab === "compare" && <ComparePage info={info} />}
      {info && tab === "recall" && <RecallPage info={info} />}
    </>
  );
}
