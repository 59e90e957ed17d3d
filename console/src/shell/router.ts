/** Where in the console one is: the fragment of the address, such as `#/collections/shoes/query`. */

import { useEffect, useState } from "preact/hooks";

/** The parts of the place, decoded. */
export function placeOf(hash: string): string[] {
  return hash
    .replace(/^#\/?/, "")
    .split("/")
    .filter(Boolean)
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
}

/** The address of a place. */
export const href = (...parts: string[]): string => `#/${parts.map(encodeURIComponent).join("/")}`;

/** Goes to a place. */
export const go = (...parts: string[]): void => {
  location.hash = href(...parts);
};

/** The place, and again whenever it changes. */
export function usePlace(): string[] {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const changed = () => setPlace(placeOf(location.hash));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return place;
}
