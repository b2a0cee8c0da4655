/** Shapes of the HTTP interface of a node, which nodes and clients share. */
export {};
