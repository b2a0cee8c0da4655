/** What the paper reported of its prototype, in its own words: Gajić et al., Energies 2022, 15, 2121, section 4.1 (CC BY 4.0). */
export const THE_PAPER_SAID: Readonly<Record<"memory" | "shares" | "times", readonly string[]>> = {
  memory: [
    "The image shows promising scalability with the number of requests, which does stress the system but does not affect the memory consumption to a significant degree.",
    "[T]he scaling of memory in this instance is purely linear: the more nodes there are, the more memory will be required in strict proportion.",
  ],
  shares: [
    "[W]hen tracking changes in memory distribution due to changes in request number or changes in tasks being processed, no noticeable change in distribution can be observed.",
  ],
  times: [
    "For bidding and creating auctions, the time per request falls as the number of requests increases […]. Creating a power promise, however, does not exhibit this kind of behavior and actually becomes slower with each request.",
    "The shape of the line remains largely the same, even though the line is shifted slightly up, indicating a performance penalty for more complex networks.",
  ],
};
