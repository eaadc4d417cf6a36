// Who is who: a colour that the colour-blind can tell from the others (after Okabe and Ito), its
// name, and a line of its own as the second cue.

export interface Look {
  name: string;
  colour: string;
  dash: number[]; // of its walls, in parts of a cell; none: a solid line
  width: number; // of its walls, in parts of a cell
}

const looks: Look[] = [
  { name: "blue", colour: "#4db8ff", dash: [], width: 0.34 },
  { name: "orange", colour: "#ff9a1f", dash: [0.9, 0.45], width: 0.34 },
  { name: "green", colour: "#1fe0a0", dash: [], width: 0.6 },
  { name: "yellow", colour: "#f5e53b", dash: [0.3, 0.4], width: 0.4 },
  { name: "pink", colour: "#ff7fc0", dash: [1.6, 0.3, 0.3, 0.3], width: 0.4 },
  { name: "white", colour: "#eef2f7", dash: [], width: 0.16 },
];

export function lookOf(number: number): Look {
  return looks[(number - 1) % looks.length]!;
}
