// Twenty schemas as clients send them, each with five questions; and tools with questions that are for one of them, or for
// none. Plain ones and odd ones, in several languages.

const object = (properties, more = {}) => ({ type: 'object', properties, required: Object.keys(properties),
  additionalProperties: false, ...more });
const text = { type: 'string' };
const short = { type: 'string', maxLength: 80 };
const whole = { type: 'integer' };
const list = (items, more = {}) => ({ type: 'array', items, ...more });

export const SCHEMAS = [
  ['a person', object({ name: short, age: whole, city: short }), [
    'Anna is 34 and lives in Graz.', 'Extract: my name is José Núñez, 51, from Bogotá.', '田中さんは28歳で、京都に住んでいます。',
    'Paul, almost sixty, Lyon.', 'Nobody is mentioned here.']],
  ['an event', object({ title: short, date: { type: 'string', format: 'date' }, guests: list(short, { maxItems: 5 }) }), [
    'Lunch with Maria and Tom on 3 May 2027.', 'The board meets on 2026-12-24.', 'Geburtstag von Lena am 1. Juli 2027, mit Oma und Opa.',
    'When is new year?', 'A concert, tomorrow.']],
  ['a choice', object({ mood: { enum: ['happy', 'sad', 'angry', 'neutral'] } }), [
    'I love this!', 'My dog died.', 'Qu\'est-ce que je suis en colère !', 'The table is made of wood.', 'why did you do that to me']],
  ['a number within bounds', object({ score: { type: 'number', minimum: 0, maximum: 10 }, why: short }), [
    'Rate the joke: a horse walks into a bar.', 'Rate the film Jaws.', 'Rate "Faust".', 'How good is rain?', 'Rate silence.']],
  ['a list of words', list({ type: 'string', minLength: 2, maxLength: 20 }, { minItems: 3, maxItems: 6 }), [
    'Name fruits.', 'Name colours.', 'Nenne Tiere.', '列举一些城市。', 'Name tools of a carpenter.']],
  ['null where nothing is known', object({ title: { type: ['string', 'null'], maxLength: 60 }, year: { type: ['integer', 'null'] } }), [
    'The film Alien came out in 1979.', 'A film that I have forgotten.', 'Le Fabuleux Destin d\'Amélie Poulain, 2001.', 'Metropolis', '1984']],
  ['one of two forms', { anyOf: [object({ kind: { const: 'circle' }, radius: { type: 'number' } }),
    object({ kind: { const: 'square' }, side: { type: 'number' } })] }, [
    'A circle of radius 3.', 'A square with sides of 2 m.', 'Ein Kreis mit Radius 1,5.', 'Something round.', 'A box.']],
  ['a tree', { $defs: { node: object({ name: { type: 'string', maxLength: 20 }, children: list({ $ref: '#/$defs/node' }, { maxItems: 2 }) }) },
    $ref: '#/$defs/node' }, [
    'A family: Ann has the child Bob.', 'The folder src has the files a.c and b.c.', 'One node.', '一棵小树。', 'The parts of a bicycle.']],
  ['a pattern', object({ code: { type: 'string', pattern: '^[A-Z]{3}-[0-9]{4}$' } }), [
    'The part is ABC-1234.', 'Make up a code.', 'Part number: xyz 99', 'código QWE-0001', 'Which code has the door?']],
  ['an address to write to', object({ email: { type: 'string', format: 'email' }, subject: short }), [
    'Write to ann@example.com about lunch.', 'Contact the support of example.org.', 'Schreib an max.mueller@example.de wegen der Rechnung.',
    'Tell Bob.', 'no address here']],
  ['steps', object({ steps: list(object({ explanation: short, output: short }), { minItems: 1, maxItems: 4 }), final_answer: short }), [
    'Solve 8x + 7 = -23.', 'What is 12 * 12?', 'Wie viel ist die Hälfte von 90?', '求 3+4*2', 'Is 91 a prime number?']],
  ['a shop\'s order', object({ items: list(object({ article: short, count: { type: 'integer', minimum: 1, maximum: 99 },
    price: { type: 'number', minimum: 0 } }), { minItems: 1, maxItems: 3 }), paid: { type: 'boolean' } }), [
    'Two coffees at 2.50 and a cake for 4, paid.', 'Ein Brot, drei Brötchen.', 'Nothing was ordered.', 'un thé', '100 apples']],
  ['yes or no', object({ answer: { type: 'boolean' } }), [
    'Is the sky blue?', 'Is 7 even?', '¿Es Madrid la capital de España?', 'Are cats fish?', '水は熱いですか。']],
  ['optional members', { type: 'object', properties: { a: short, b: whole, c: { type: 'boolean' } }, required: ['b'] }, [
    'b is 4.', 'a is x, b is 1, c is true.', 'Nothing.', 'c: false', 'b = -12 und a = "ja"']],
  ['a map of any names', { type: 'object', additionalProperties: { type: 'integer' }, maxProperties: 4 }, [
    'Ann has 3 points, Bob 5.', 'Tore: Bayern 2, Köln 1.', 'Count the letters of "aab".', 'nothing', '红 1 蓝 2']],
  ['a tuple', { type: 'array', prefixItems: [short, whole], items: false, minItems: 2 }, [
    'Mount Everest, 8849 metres.', 'Mont Blanc', 'Zugspitze 2962', '富士山 3776', 'a hill']],
  ['translations', object({ en: short, de: short, fr: short, ja: short }), [
    'water', 'Hund', 'bonjour', 'thank you', '猫']],
  ['a date and a time', object({ at: { type: 'string', format: 'date-time' } }), [
    'At noon on 5 May 2026, UTC.', 'Now.', 'Am 24.12.2026 um 18 Uhr.', '2026-01-01T00:00:00Z', 'soon']],
  ['a fixed version and whole hundreds', object({ version: { const: 2 }, metres: { type: 'integer', multipleOf: 100 } }), [
    'The way is 400 m long.', 'A marathon.', 'ein Kilometer', 'Not far.', '1.2 km']],
  ['program text', object({ language: { enum: ['c', 'python', 'javascript'] }, code: { type: 'string', maxLength: 400 } }), [
    'Print "hello" in Python.', 'Add two numbers in C.', 'Eine Schleife von 1 bis 3 in JavaScript.', 'Quote a "string" with \\ in it.', 'Nothing to program.']],
];

const tool = (name, description, properties) => ({ type: 'function', function: { name, description,
  parameters: { type: 'object', properties, required: Object.keys(properties), additionalProperties: false } } });

export const TOOLS = [
  tool('get_weather', 'The weather of a city at present.', { city: { ...text, description: 'Name of the city' } }),
  tool('send_email', 'Sends an email.', { to: text, subject: text, body: text }),
  tool('convert_currency', 'Converts an amount of money from one currency to another.', { amount: { type: 'number' },
    from: { type: 'string', description: 'ISO code' }, to: { type: 'string', description: 'ISO code' } }),
  tool('play_music', 'Plays a song or an artist.', { query: text }),
  tool('set_timer', 'Sets a timer.', { minutes: whole }),
];

export const TOOL_QUESTIONS = [
  ['get_weather', ['What is the weather in Paris?', 'Is it raining in Oslo right now?', 'Wie ist das Wetter in Wien?', 'Quel temps fait-il à Nice ?',
    '東京の天気は？', '¿Qué tiempo hace en Lima?', 'How warm is it in Cairo?', 'Do I need an umbrella in London today?', '北京今天天气怎么样？', 'Weather, Berlin.']],
  ['send_email', ['Send an email to ann@example.com, subject "Lunch", saying that I am late.', 'Email bob@example.com that the meeting is cancelled.',
    'Schreibe eine E-Mail an chef@example.de: Ich bin heute krank.', 'Write to support@example.org by email: my router is broken.',
    'Send mail to mum@example.com wishing her a happy birthday.', 'Envoie un e-mail à paul@example.fr pour dire merci.',
    'Please email the address sales@example.com and ask for a quote.', 'Mail team@example.com: the build is green.',
    'Envía un correo a luis@example.es: nos vemos mañana.', 'Send an e-mail with the subject Hi and the body Hello to x@example.com.']],
  ['convert_currency', ['Convert 100 USD to EUR.', 'How many yen are 50 euros?', 'Wie viel sind 20 Franken in Euro?', 'Combien font 30 dollars en euros ?',
    'Change 5 pounds into dollars.', 'What is 1000 JPY in USD?', '100美元是多少人民币？', '¿Cuántos pesos mexicanos son 10 dólares?',
    'convert 3.5 GBP to CHF', 'I have 200 Swedish crowns, how much is that in euros?']],
  ['play_music', ['Play Yesterday by the Beatles.', 'Play some jazz.', 'Spiel etwas von Bach.', 'Mets une chanson d\'Édith Piaf.', 'Put on Bohemian Rhapsody.',
    'I want to hear Nina Simone.', '播放周杰伦的歌。', 'Pon música de Shakira.', 'Play my favourite song, Imagine.', 'Start the album Thriller.']],
  ['set_timer', ['Set a timer for 10 minutes.', 'Timer, 5 minutes.', 'Stell einen Timer auf 15 Minuten.', 'Mets un minuteur de 3 minutes.', 'Start a timer of half an hour.',
    'Wake me in 20 minutes with a timer.', '设置一个七分钟的计时器。', 'Pon un temporizador de 12 minutos.', 'Count down 2 minutes.', 'Set the timer to 45 minutes.']],
];

/** No tool helps here. */
export const PLAIN_QUESTIONS = ['Say hello.', 'Who wrote Hamlet?', 'Was ist ein Verb?', 'Explain what a stack is.', 'Write a haiku about snow.',
  'What is the capital of France?', 'Translate "dog" into Spanish.', 'Tell me a joke.', '你好！', 'Thanks, that was all.', 'Pourquoi le ciel est-il bleu ?',
  'List three primary colours.', 'What does HTTP stand for?', 'Are you a person?', 'Write a C function that adds two numbers.', 'How do vaccines work?',
  'Give me a synonym of fast.', '¿Quién pintó el Guernica?', 'Summarize: the cat sat on the mat.', 'What is 2 + 2?'];
