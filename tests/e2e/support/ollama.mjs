// A client of Ollama's API, as its documentation has it: streams are lines of JSON, and refusals {"error": "..."}.

export class Ollama {
  constructor(network, key) {
    this.network = network;
    this.key = key;
  }

  async #send(route, body) {
    const { network, key } = this;
    const response = body === undefined ? await network.fetch(route, { key }) : await network.post(route, body, { key });
    if (response.ok) return response;
    const error = new Error((await response.json()).error);
    throw Object.assign(error, { status_code: response.status });
  }

  async #ask(route, body) {
    if (body.stream !== true) return (await this.#send(route, { ...body, stream: false })).json();
    return lines(await this.#send(route, body));
  }

  chat(body) { return this.#ask('/api/chat', body); }

  generate(body) { return this.#ask('/api/generate', body); }

  async list() { return (await this.#send('/api/tags')).json(); }

  async ps() { return (await this.#send('/api/ps')).json(); }

  async version() { return (await this.#send('/api/version')).json(); }

  async show(body) { return (await this.#send('/api/show', body)).json(); }
}

async function* lines(response) {
  for (const line of (await response.text()).trimEnd().split('\n')) {
    const part = JSON.parse(line);
    if (part.error !== undefined) throw new Error(part.error);
    yield part;
  }
}
