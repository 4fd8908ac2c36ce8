// What a long run says: a line "ok NAME" or "FAILED NAME: why" for each thing that was shown (tools/soak.sh counts them).

let failed = 0;

export async function show(name, tell) {
  try {
    const detail = await tell();
    console.log(`ok ${name}${detail ? ` (${detail})` : ''}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name}: ${error.stack}`);
  }
}

export function failures() {
  return failed;
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
