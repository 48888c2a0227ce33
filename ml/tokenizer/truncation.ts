/**
 * How many tokens of each text are kept when `room` is all there is: the longer text gives first, as in Hugging Face's
 * `longest_first`. Both of them longer than half the room get half each, and the odd token goes to the longer one, or to
 * the second of two that are equally long.
 */
export const keptOfPair = (first: number, second: number, room: number): readonly [number, number] => {
  if (first + second <= room) return [first, second];
  const shorter = Math.min(first, second);
  const half = Math.floor(room / 2);
  const [less, more] = shorter <= half ? [shorter, room - shorter] : [half, room - half];
  return first > second ? [more, less] : [less, more];
};
