// The web client: every game type that has a view, in one page.

import { Shell } from "@net/shell";
import { tronViewType } from "@games/tron/web/tron";

new Shell([tronViewType]);
