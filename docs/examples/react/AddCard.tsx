import { useEffect, useRef } from "react";

// `url` is the address that the bank's back end got from non_auth_initialize.
export function AddCard({ url, onOutcome }: { url: string; onOutcome: (outcome: CardEnrollment.Outcome) => void }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const abort = new AbortController();
    CardEnrollment.open({ url, target: box.current, signal: abort.signal }).then(onOutcome, () => {});
    return () => abort.abort();
  }, [url]);
  return <div ref={box} />;
}
