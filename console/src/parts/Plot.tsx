/** A plot by uPlot, in the colours of the page. It is drawn anew when its data, its width or the colours change. */

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Colours {
  text: string;
  muted: string;
  line: string;
  accent: string;
  busy: string;
  good: string;
  bad: string;
}

interface Props {
  data: uPlot.AlignedData;
  options: (colours: Colours) => Omit<uPlot.Options, "width" | "height">;
  height: number;
  label: string;
}

/** The colours of the page as they are now. */
export function coloursNow(): Colours {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return { text: colour("text"), muted: colour("muted"), line: colour("line"), accent: colour("accent"), busy: colour("busy"), good: colour("good"), bad: colour("bad") };
}

/** An axis in the colours of the page. */
export const axis = (colours: Colours, more: uPlot.Axis = {}): uPlot.Axis => ({
  stroke: colours.muted,
  grid: { stroke: colours.line, width: 1 },
  ticks: { stroke: colours.line, width: 1, size: 5 },
  font: "11.5px ui-sans-serif, system-ui, sans-serif",
  labelFont: "11.5px ui-sans-serif, system-ui, sans-serif",
  labelSize: 20,
  ...more,
});

export function Plot({ data, options, height, label }: Props) {
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef({ data, options });
  latest.current = { data, options };
  useEffect(() => {
    const container = element.current;
    if (!container) return;
    const draw = () => {
      plot.current?.destroy();
      const given = latest.current.options(coloursNow());
      plot.current = new uPlot({ width: container.clientWidth || 300, height, ...given }, latest.current.data, container);
    };
    draw();
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: container.clientWidth || 300, height }));
    observer.observe(container);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    addEventListener("themechange", draw);
    dark.addEventListener("change", draw);
    return () => {
      observer.disconnect();
      removeEventListener("themechange", draw);
      dark.removeEventListener("change", draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [height]);
  useEffect(() => plot.current?.setData(data), [data]);
  return <div ref={element} class="plot" role="img" aria-label={label} />;
}
