import { init, PopClient } from "@holdfast/pop";
import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

const opened = init().then(() => PopClient.open());

/** How a stream stands, and how often it was proven; open for as long as the component is shown. */
function useStream(path) {
  const [state, setState] = useState("not begun");
  const [proofs, setProofs] = useState(0);
  useEffect(() => {
    let stream;
    let gone = false;
    opened.then(
      (client) => {
        if (gone) return;
        stream = client.stream(path);
        stream.onstate = ({ detail }) => {
          setState(detail.state);
          if (detail.state === "open") setProofs((proofs) => proofs + 1);
        };
      },
      (error) => setState(error.code),
    );
    return () => {
      gone = true;
      stream?.close();
    };
  }, [path]);
  return { state, proofs };
}

function Live() {
  const { state, proofs } = useStream("/v1/streams/activity");
  return <p role="status">{`The stream is ${state}, proofs: ${proofs}`}</p>;
}

// Strict mode shows everything twice: what the first time opened must be closed.
createRoot(document.getElementById("page")).render(
  <StrictMode>
    <Live />
  </StrictMode>,
);
