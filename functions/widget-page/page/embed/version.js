// Version of the script, by semantic versioning. A released version never changes (`embed/released.json`): a change begins
// with another number here.
export const VERSION = "1.0.0";
