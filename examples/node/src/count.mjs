export function count(text) {
  return text.split(/\s+/).filter((word) => word !== "").length;
}
