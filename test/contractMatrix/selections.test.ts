import { describeMatrix } from "../helpers/contractMatrix.ts";

describeMatrix("selections");
