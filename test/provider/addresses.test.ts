import { describe, expect, test } from "@jest/globals";
import { makeGraphProvider } from "../../server/provider/graph/makeGraphProvider.ts";

const graph = "https://graph.microsoft.com";
const login = "https://login.microsoftonline.com";

describe("The provider's addresses", () => {
  test.each([
    "http://graph.microsoft.com",
    "http://10.0.0.1:4000",
    "http://127.0.0.1.example.com",
    "http://localhost.example.com",
    "http://0.0.0.0:4000",
    "ftp://localhost",
  ])("may not be %s", (address) => {
    expect(() => makeGraphProvider({ graphUrl: address, loginUrl: login })).toThrow(
      "GRAPH_URL must be https: plain http is for loopback hosts only",
    );
    expect(() => makeGraphProvider({ graphUrl: graph, loginUrl: address })).toThrow(
      "LOGIN_URL must be https",
    );
  });

  test.each(["not an address", "https://user:pass@graph.microsoft.com", "https://graph.microsoft.com/?a=1"])(
    "may not be %s either",
    (address) => {
      expect(() => makeGraphProvider({ graphUrl: address, loginUrl: login })).toThrow(/^GRAPH_URL/);
    },
  );

  test.each([
    graph,
    "http://localhost:4000",
    "http://127.0.0.1:4000/",
    "http://127.8.9.10",
    "http://[::1]:80",
  ])("may be %s", (address) => {
    expect(() => makeGraphProvider({ graphUrl: address, loginUrl: address })).not.toThrow();
  });
});
