/** The import walls for dependency-cruiser's own command line; the table is in scripts/walls.mjs. */
import { OPTIONS, RULES } from "./scripts/walls.mjs";

export default { forbidden: RULES, options: OPTIONS };
