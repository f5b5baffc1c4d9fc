// Types of embed.js, a script that defines the global `CardEnrollment`. Add this file to the project to use them.

declare namespace CardEnrollment {
  /** Version of the script. */
  const version: string;

  /** Opens the widget. Rejects for options that can't work (`TypeError`) and for an aborted `signal` (its reason). */
  function open(options: Options): Opening;

  interface Options {
    /** Address that `non_auth_initialize` gave. It must begin with the address that the script came from. */
    url: string | URL;
    /** Default: `inline` with a `target`, `modal` without one. */
    mode?: "modal" | "inline" | "redirect";
    /** Element that gets the frame, or its selector; for `inline`. */
    target?: Element | string | null;
    /** Default: the client's choice, by the customer's device. */
    theme?: "auto" | "light" | "dark";
    /** `plain`: without background and logo, transparent. Default: `card`. */
    frame?: "card" | "plain";
    /** Goes to the widget as a page of its own where its frame is not ready within 20 s. */
    fallback?: "redirect";
    /** Name of the frame and the modal for assistive technology. Default: `Card enrollment`. */
    title?: string;
    /** Name of the modal's close button. Default: `Close`. */
    closeLabel?: string;
    /** Removes the frame, and rejects the promise with its reason. */
    signal?: AbortSignal;
  }

  /** An opened widget, and the promise of its outcome. */
  interface Opening extends Promise<Outcome> {
    /** Calls the listener with each event's detail. Returns a function that removes it. */
    on<Type extends keyof Events>(type: Type, listener: (detail: Events[Type]) => void): () => void;
    /** Removes the frame. An open promise settles with the last status, or `CLOSED`. */
    destroy(): void;
  }

  type Status =
    | "SUCCESS_ENROLLMENT"
    | "SUCCESS_REPLACEMENT"
    | "SUCCESS_REMOVAL"
    | "ERROR_ENROLLMENT"
    | "ERROR_REPLACEMENT"
    | "ERROR_REMOVAL"
    | "TOKEN_EXPIRED"
    | "ACCESS_DENIED"
    | "INVALID_PARAMETERS";

  /** Members of `enrollmentEnded`; one that is unknown is absent. */
  interface Ended {
    status: Status;
    statusCode?: string;
    parentId?: string;
    ranac?: string;
    designCode?: string;
    bin?: string;
    last4?: string;
  }

  /** `CLOSED`: left without an outcome, which a confirmation may still bring. `NOT_LOADED`: the widget did not get ready. */
  type Outcome = Ended | { status: "CLOSED" | "NOT_LOADED" };

  interface Events {
    /** The first screen is visible. */
    ready: Record<string, never>;
    /** Brand or validity of the card number changed. */
    change: { valid: boolean; couldBecomeValid: boolean; brand?: string };
    /** A field got or lost the focus. */
    focus: { field: string };
    blur: { field: string };
    /** The frame asked for this height, in CSS pixels, and has it now. */
    resize: { height: number };
    /** Each result, also of an attempt that may be repeated. */
    enrollmentEnded: Ended;
    /** The customer pressed the button that leads back. A modal closes. */
    return: { status?: Status };
    /** The promise's outcome. */
    complete: Outcome;
  }
}
