import express, { type RequestHandler } from "express";

const ordinary = express.urlencoded({ extended: false, limit: "20kb" });
/** A certificate and its key, each of up to 32 kB, as a form encodes them. */
const withPem = express.urlencoded({ extended: false, limit: "100kb" });

/** Reads what forms send; no page but the one that takes certificates needs more than a little. */
export const forms: RequestHandler = (req, res, next) =>
  /^\/admin\/tenants\/[^/]+\/connection$/.test(req.path) ? withPem(req, res, next) : ordinary(req, res, next);
