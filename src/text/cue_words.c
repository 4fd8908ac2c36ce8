#include "text/cue_words.h"

static const char speaker[] =
    "i|i'm|i've|i'd|i'll|im|my|mine|myself|our|ours|we|we're|we've|call me|"
    "ich|mein|meine|meinen|meinem|meiner|meines|mir|mich|wir|unser|unsere|unseren|unserem|"
    "je|j'|m'|mon|ma|mes|moi|nous|notre|nos|"
    "yo|mi|mis|mí|soy|tengo|vivo|trabajo|estoy|quiero|prefiero|nací|nuestro|nuestra|somos|llamo|"
    "eu|meu|minha|meus|minhas|sou|tenho|moro|estou|quero|prefiro|nosso|nossa|chamo|"
    "io|mio|mia|miei|mie|sono|ho|abito|lavoro|preferisco|nostro|nostra|chiamo|"
    "jo|meva|em dic|soc|tinc|visc|"
    "ik|mijn|mij|m'n|wij|ons|onze|"
    "jag|min|mitt|mina|mig|vår|vårt|våra|jeg|mit|meg|vores|ég|minn|mín|"
    "minä|minun|minulla|olen|nimeni|asun|meidän|minu|"
    "én|vagyok|nevem|lakom|élek|nekem|engem|"
    "ja|mój|moja|moje|mnie|mam|jestem|mieszkam|lubię|nazywam|nasz|nasza|"
    "já|můj|mám|jsem|bydlím|jmenuji|jmenuju|volám|som|moj|sam|imam|živim|zovem|jaz|sem|"
    "mea|mei|mele|sunt|locuiesc|numesc|îmi|unë|ime|quhem|jam|kam|"
    "aš|mano|esu|turiu|gyvenu|mans|mana|esmu|dzīvoju|"
    "ben|benim|bana|beni|adım|ismim|bizim|yaşıyorum|oturuyorum|çalışıyorum|seviyorum|istiyorum|mən|mənim|men|"
    "mening|"
    "tôi|tớ|mình|chúng tôi|saya|aku|kami|ako|ko|aking|akin|"
    "mimi|langu|yangu|wangu|changu|nina|ninaishi|napenda|ninapenda|sunana|igama lami|magacaygu|waxaan|"
    "nire|naiz|dut|mé|agam|dom|fy|rydw|dw i|gen i|jien|jisimni|"
    "я|мой|моя|моё|мое|мои|моего|моей|моему|моим|моих|меня|мне|мной|мы|наш|наша|наше|наши|нас|"
    "мій|моє|мої|мене|мені|ми|мая|мяне|аз|моят|моето|съм|имам|казвам|живея|ја|мој|моја|моје|сам|живим|зовем|"
    "мен|менің|атым|би|миний|"
    "εγώ|μου|είμαι|έχω|μένω|ζω|λένε|δουλεύω|εμείς|μας|"
    "أنا|انا|اسمي|إسمي|لدي|عندي|أعيش|أسكن|أعمل|أحب|أريد|أفضل|عمري|نحن|كلبي|قطتي|أمي|أبي|زوجتي|زوجي|ابني|ابنتي|"
    "بيتي|مدينتي|عملي|أخي|أختي|صديقي|رقمي|عائلتي|"
    "من|هستم|دارم|اسمم|نامم|میں|میرا|میری|میرے|مجھے|ہم|ہمارا|"
    "אני|שמי|שלי|לי|אנחנו|שלנו|קוראים לי|"
    "मैं|मेरा|मेरी|मेरे|मुझे|मुझको|मैंने|हम|हमारा|हमारी|मी|माझे|माझा|माझी|माझं|मला|मेरो|"
    "আমি|আমার|আমাকে|আমরা|আমাদের|ਮੈਂ|ਮੇਰਾ|ਮੇਰੀ|ਮੇਰੇ|ਮੈਨੂੰ|હું|મારું|મારો|મારી|મારા|મને|ମୁଁ|ମୋର|"
    "நான்|என்|எனது|எனக்கு|என்னுடைய|నేను|నా|నాకు|ನಾನು|ನನ್ನ|ನನಗೆ|ഞാൻ|എന്റെ|എനിക്ക്|මම|මගේ|මට|"
    "ฉัน|ผม|ดิฉัน|หนู|เรา|ข้าพเจ้า|ຂ້ອຍ|ຂ້າພະເຈົ້າ|ខ្ញុំ|យើង|ကျွန်တော်|ကျွန်မ|ကျနော်|ငါ|"
    "እኔ|ስሜ|የኔ|አለኝ|እኖራለሁ|მე|ჩემი|მქვია|ვარ|მაქვს|ვცხოვრობ|მიყვარს|ես|իմ|անունս|ունեմ|եմ|"
    "我|俺|咱|本人|私|わたし|あたし|僕|ぼく|おれ|うちの|"
    "저는|저의|저도|저희|저에게|제가|제|전|나는|나의|나도|내가|내|난|우리|";

static const char chat[] =
    "i see|i think|i guess|i know|i mean|i hope|i agree|i understand|i don't know|i wonder|i suppose|i believe|"
    "i'm sorry|i'm sure|i'm not sure|i love it|i like it|i like that|i love that|we'll see|my pleasure|my bad|"
    "let me|"
    "ich verstehe|ich denke|ich glaube|ich weiß|ich finde|ich meine|ich hoffe|tut mir|freut mich|gefällt mir|"
    "danke dir|je vois|je comprends|je pense|je sais|je crois|je trouve|j'espère|j'aime bien ça|je suis d'accord|"
    "je ne sais pas|"
    "entiendo|creo que|yo creo|pienso que|no sé|me parece|me gusta eso|lo siento|acho que|eu acho|eu sei|entendi|"
    "penso che|credo che|capisco|non lo so|mi sembra|mi dispiace|mi piace questo|ik snap|ik denk|ik vind|ik weet|"
    "ik begrijp|"
    "jag förstår|jag tror|jag tycker|jag vet|jeg forstår|jeg tror|jeg synes|minusta|ymmärrän|luulen|rozumiem|"
    "myślę|nie wiem|rozumím|myslím|nevím|értem|azt hiszem|înțeleg|cred că|anlıyorum|bence|sanırım|bilmiyorum|"
    "tôi hiểu|tôi nghĩ|tôi thấy|saya mengerti|saya pikir|saya rasa|nadhani|naona|sawa|"
    "я понимаю|я думаю|я знаю|я считаю|я согласен|я согласна|мне кажется|мне нравится это|я не знаю|понял|поняла|"
    "розумію|мені здається|καταλαβαίνω|νομίζω|δεν ξέρω|أفهم|أظن|أعتقد|لا أعرف|أنا موافق|فهمت|אני מבין|אני מבינה|"
    "אני חושב|אני חושבת|לא יודע|فکر می‌کنم|فهمیدم|"
    "मैं समझ|मुझे लगता|मुझे पता|मुझे नहीं पता|আমি বুঝ|আমার মনে হয়|ฉันคิดว่า|ฉันเข้าใจ|ผมคิดว่า|ผมเข้าใจ|ខ្ញុំយល់|"
    "ខ្ញុំគិត|我知道|我觉得|我覺得|我明白|我认为|我認為|我想想|我懂|我同意|我也觉得|と思います|と思う|"
    "わかりました|分かりました|알겠|제 생각|내 생각|그렇군요|";

static const char remember[] =
    "remember|note that|keep in mind|don't forget|merke dir|merk dir|denk daran|retiens|rappelle-toi|souviens-toi|"
    "n'oublie pas|"
    "recuerda|no olvides|lembre-se|lembra-te|não esqueça|ricorda|ricordati|onthoud|kom ihåg|husk|muista|"
    "zapamiętaj|pamiętaj|pamatuj|"
    "hatırla|unutma|nhớ rằng|hãy nhớ|ingat|ingatlah|kumbuka|tandaan|запомни|запомните|помни|запам'ятай|θυμήσου|"
    "تذكر|تذكّر|זכור|זכרי|"
    "याद रखो|याद रखना|याद रखिए|মনে রেখো|মনে রাখুন|நினைவில் கொள்|จำไว้|ចងចាំ|记住|記住|记得|記得|覚えて|忘れないで|"
    "기억해|잊지 마|";

static const char order_first[] =
    "summarize|summarise|sum up|translate|explain|describe|extract|rewrite|rephrase|paraphrase|shorten|"
    "outline the|analyze|analyse the|"
    "tell me|tell us|give me|give a|give an|give the|write a|write an|write me|write the|write down|list the|"
    "list all|list every|find the|find all|find out|find every|"
    "name the|name all|name every|count the|count how|show me|answer the|answer this|answer in|answer with|"
    "answer only|answer briefly|reply in|reply with|compare the|compare all|identify the|identify all|classify|"
    "proofread|"
    "make a|make an|make me|create a|create an|tl;dr|tldr|respond in|from this text|from the text|"
    "fasse|fass|fassen sie|übersetze|übersetz|übersetzen sie|erkläre|erklär|erklären sie|beschreibe|beschreib|"
    "beschreiben sie|nenne|nennen sie|liste die|liste alle|schreibe|schreib|schreiben sie|gib|geben sie|zeige mir|"
    "zeig mir|sag mir|sage mir|sagen sie|finde|finden sie|antworte|antworten sie|beantworte|beantworten sie|"
    "vergleiche|vergleichen sie|analysiere|analysieren sie|kürze|extrahiere|erzähl|erzähle|"
    "résume|résumez|résumer|traduis|traduisez|traduire|explique|expliquez|décris|décrivez|donne|donnez|écris|"
    "écrivez|trouve|trouvez|dis-moi|dites-moi|réponds|répondez|compare les|compare la|compare le|comparez|"
    "analysez|fais un|fais une|faites un|faites une|cite|citez|extrais|liste les|énumère|"
    "resume el|resume la|resume lo|resume los|resume este|resume esta|resume esto|resume en|resuma|resumir|"
    "resúmeme|haz|traduce|traduzca|explica|explícame|dame|deme|escribe|escriba|dime|dígame|encuentra|enumera|"
    "responde|responda|compara los|compara las|analiza|extrae|lista los|describa|"
    "resume o|resume a|resumo de|traduza|traduz|descreva|diga|diz-me|me diga|dê|dá-me|escreva|escreve|encontre|"
    "liste|analise|faça|"
    "riassumi|riassuma|riassumere|traduci|spiega|spiegami|descrivi|dimmi|dammi|scrivi|trova|elenca|rispondi|"
    "confronta|analizza|fai un|"
    "vat de|vat het|vat dit|vat deze|vertaal|leg uit|leg de|leg het|beschrijf|geef|schrijf|noem|zoek|vertel|"
    "antwoord|beantwoord|vergelijk|analyseer|maak een|som de|"
    "streść|podsumuj|przetłumacz|wyjaśnij|opisz|podaj|napisz|znajdź|wymień|odpowiedz|porównaj|powiedz|shrň|přelož|"
    "vysvětli|popiš|napiš|najdi|uveď|odpověz|řekni|zhrň|"
    "sammanfatta|översätt|förklara|beskriv|skriv|berätta|jämför|svara|hitta|opsummer|sammenfat|oversæt|forklar|"
    "nævn|fortæl|find alle|oppsummer|sammenfatt|oversett|nevn|fortell|"
    "tiivistä|käännä|selitä|kuvaile|kirjoita|kerro|etsi|vastaa|luettele|foglald|foglalja|fordítsd|magyarázd|írd|"
    "írj|sorold|mondd|válaszolj|"
    "rezumă|rezumați|tradu|traduceți|explică|descrie|scrie|găsește|enumeră|spune|răspunde|compară cele|"
    "hãy|tóm tắt|dịch sang|dịch đoạn|dịch văn|giải thích|mô tả|viết một|viết lại|liệt kê|cho biết|cho tôi biết|"
    "trả lời|so sánh|"
    "ringkas|ringkaskan|rangkum|rangkumlah|terjemahkan|jelaskan|sebutkan|tuliskan|tulis|carilah|berikan|jawab|"
    "bandingkan|"
    "fupisha|tafsiri|eleza|andika|taja|jibu|toa muhtasari|ibuod|isalin|ipaliwanag|isulat|sabihin|ilista|sagutin|"
    "резюмируй|резюмируйте|обобщи|обобщите|суммируй|перескажи|перескажите|подведи|переведи|переведите|объясни|"
    "объясните|опиши|опишите|напиши|напишите|найди|найдите|назови|назовите|перечисли|перечислите|скажи|скажите|"
    "ответь|ответьте|расскажи|расскажите|дай|дайте|сократи|выдели|сравни|сравните|сделай|сделайте|составь|"
    "составьте|кратко перескажи|кратко изложи|кратко опиши|кратко опишите|изложи|изложите|"
    "підсумуй|переклади|поясни|знайди|назви|перелічи|розкажи|перекажи|стисло перекажи|преведи|обясни|намери|кажи|"
    "објасни|"
    "συνόψισε|συνοψίστε|μετάφρασε|εξήγησε|περίγραψε|γράψε|βρες|πες|απάντησε|δώσε|σύγκρινε|"
    "لخص|لخّص|لخصي|ترجم|اشرح|اكتب|أوجد|اذكر|أجب|قارن|أعط|أعطني|قل|اقرأ|استخرج|اعطني|"
    "סכם|סכמי|סכמו|תרגם|תרגמי|הסבר|הסבירי|תאר|כתוב|כתבי|מצא|ענה|תן לי|תני לי|ציין|"
    "სთხოვ|შეაჯამე|თარგმნე|ახსენი|დაწერე|მითხარი|ամփոփիր|թարգմանիր|բացատրիր|գրիր|ասա|"
    "สรุปข้อ|สรุปบท|สรุปเนื้อ|สรุปให้|สรุปใจ|สรุปเรื่อง|สรุปสั้น|สรุปประ|สรุปทั้ง|สรุปสาระ|แปลข้อ|แปลเป็น|แปลบท|"
    "แปลให้|อธิบาย|บอกชื่อ|บอกฉัน|บอกผม|บอกหน่อย|บอกว่า|เขียนสรุป|ตอบคำ|ช่วย|จง|ສະຫຼຸບເນື້ອ|ສະຫຼຸບຂໍ້|ແປເປັນ|"
    "ອະທິບາຍ|ບອກຊື່|សង្ខេប|សូមសង្ខេប|បកប្រែ|ពន្យល់|ប្រាប់|សូមប្រាប់|សូម|"
    "请用|请你|请把|请将|请根据|请写|请给|请告|请列|请回答|请总|请概|请翻|请解|请说|请找|请简|请描|请分析|请帮|"
    "请问|请从|请以|请提|请归|请比|請用|請你|請把|請將|請根據|請寫|請給|請告|請列|請回答|請總|請概|請翻|請解|請說|"
    "請找|請簡|請描|請分析|請幫|請問|請從|請以|"
    "帮我|幫我|麻烦你|麻煩你|给我|給我|告诉我|告訴我|把这|把下面|把以下|把上面|将以下|将下面|根据以上|根据上文|"
    "根据下文|根据下面|根據以上|根據上文|用一句|用两句|用三句|用中文|用英文|用几句|从文中|从以上|";

static const char order_last[] =
    "özetle|özetleyin|özetler misin|özetle lütfen|çevir|çevirin|açıkla|açıklayın|yaz|bul|bulun|listele|anlat|"
    "söyle|cevapla|yanıtla|karşılaştır|bilgi ver|cevap ver|yanıt ver|"
    "कीजिए|कीजिये|करें|करो|बताइए|बताइये|बताओ|बताएं|बताएँ|लिखिए|लिखो|लिखें|दीजिए|समझाइए|समझाओ|सांगा|द्या|लिहा|"
    "করুন|করো|বলুন|বলো|লিখুন|লেখো|দাও|ਕਰੋ|ਦੱਸੋ|ਲਿਖੋ|કરો|કહો|લખો|આપો|"
    "சுருக்கு|சுருக்கவும்|மொழிபெயர்|மொழிபெயர்க்கவும்|விளக்கு|விளக்கவும்|எழுது|எழுதவும்|கூறு|கூறவும்|சொல்|"
    "தாருங்கள்|సంగ్రహించండి|చెప్పండి|రాయండి|ವಿವರಿಸಿ|ಹೇಳಿ|ಬರೆಯಿರಿ|സംഗ്രഹിക്കുക|പറയുക|എഴുതുക|"
    "خلاصه کن|خلاصه کنید|ترجمه کن|ترجمه کنید|توضیح بده|توضیح دهید|بنویس|بنویسید|بگو|بگویید|کریں|بتائیں|لکھیں|دیں|"
    "要約して|要約してください|要約せよ|要約しなさい|まとめて|まとめてください|翻訳して|翻訳してください|"
    "訳してください|説明して|説明してください|説明せよ|教えて|教えてください|挙げて|挙げてください|書いて|"
    "書いてください|答えて|答えてください|答えよ|述べよ|抽出して|抽出してください|してくれ|"
    "요약해|요약해줘|요약해 줘|요약해주세요|요약해 주세요|요약하세요|요약하시오|요약하라|번역해|번역해줘|"
    "번역해 줘|번역해주세요|번역해 주세요|번역하세요|설명해|설명해줘|설명해 줘|설명해주세요|설명해 주세요|"
    "설명하세요|설명하시오|알려줘|알려 줘|알려주세요|알려 주세요|정리해줘|정리해 줘|정리해 주세요|정리해주세요|"
    "나열해줘|나열하세요|답해줘|답하세요|찾아줘|찾아 줘|찾아 주세요|써줘|써 줘|써 주세요|말해줘|말해 줘|"
    "말해 주세요|해줘|해 줘|해주세요|해 주세요|해라|"
    "ጻፍ|ንገረኝ|አጠቃልል|ተርጉም|အကျဉ်းချုပ်ပါ|ရှင်းပြပါ|ပြောပြပါ|ဘာသာပြန်ပါ|ရေးပါ|";

static const char order_verb[] =
    "总结|總結|概括|归纳|歸納|翻译|翻譯|解释|解釋|列出|回答|找出|简述|簡述|描述|分析|比较|比較|说明|說明|提取|"
    "改写|改寫|写出|寫出|说出|說出|指出|概述|";

static const char order_object[] =
    "一下|以下|下面|下文|这|這|本文|上文|上面|全文|文章|文本|内容|內容|文中|原文|要点|要點|所有|哪|什么|什麼|句|";

static const char question_last[] =
    "か|かな|吗|嗎|呢|까|나요|가요|ไหม|มั้ย|ไหน|อะไร|ใคร|หรือไม่|หรือเปล่า|เท่าไร|เท่าไหร่|เมื่อไร|เมื่อไหร่|"
    "อย่างไร|ยังไง|ទេ|ណា|អ្វី|လား|လဲ|ບໍ|ໃສ|ຫຍັງ|चीست|چیست|کیست|کجاست|mı|mi|mu|mü|nedir|kimdir|nerededir|là gì|"
    "là ai|ở đâu|nào|bao nhiêu|phải không|không|";

static const char question_first[] =
    "what is|what are|what was|what were|what's|what do|what does|what did|what can|what has|what happened|"
    "what kind|what color|what colour|which|who is|who are|who was|who were|who wrote|who has|who's|whose|when is|"
    "when was|when were|when did|when does|when will|where is|where are|where was|where were|where can|where do|"
    "where did|why is|why are|why was|why do|why does|why did|how many|how much|how do|how does|how did|how is|"
    "how are|how was|how can|how long|how old|how far|how big|is there|are there|does the|do the|did the|can you|"
    "could you|would you|will you|in which|at which|on which|from which|in what|"
    "was ist|was sind|was war|was steht|was sagt|wer ist|wer war|wer sind|wer hat|welche|welcher|welches|welchen|"
    "welchem|in welcher|in welchem|wo ist|wo liegt|wo war|wann ist|wann war|wann wurde|warum|wieso|weshalb|"
    "wie viele|wie viel|wie lange|wie heißt|wie heißen|wie alt|wie hoch|gibt es|kannst du|können sie|"
    "quel|quelle|quels|quelles|dans quel|dans quelle|qui est|qui a|qui sont|où est|où se|où sont|quand a|"
    "quand est|pourquoi|combien|est-ce que|qu'est-ce|que dit|y a-t-il|peux-tu|pouvez-vous|comment s'appelle|"
    "qué|cuál|cuáles|quién|quiénes|dónde|cuándo|por qué|cómo se|cuánto|cuánta|cuántos|cuántas|puedes|podrías|"
    "en qué|"
    "qual|quais|quem é|quem foi|onde fica|onde está|quando foi|por que|como se|quanto|quantos|quantas|o que|"
    "você pode|em que|"
    "quale|quali|chi è|chi ha|chi era|dove si|dov'è|quando è|come si|quanti|quante|che cosa|cos'è|puoi|potresti|"
    "in quale|"
    "wat is|wat zijn|welke|wie is|wie zijn|waar is|waar ligt|waarom|hoeveel|hoe heet|wanneer is|kun je|kunt u|"
    "jaki|jaka|jakie|który|która|które|kto|gdzie|kiedy|dlaczego|ile|czy|jaký|jaká|jaké|který|která|které|kdo|kde|"
    "kdy|proč|kolik|"
    "vilken|vilket|vilka|vem|varför|hur många|hvilken|hvilket|hvilke|hvem|hvorfor|hvor mange|hva er|hvad er|"
    "vad är|mikä|mitkä|kuka|missä|milloin|miksi|miten|kuinka|melyik|hány|miért|hol van|care|cine|unde|când a|câte|"
    "câți|"
    "какой|какая|какое|какие|каков|какова|в каком|в какой|кто|что такое|где находится|где|почему|зачем|сколько|"
    "який|яка|яке|які|хто|де|чому|скільки|кой|коя|кои|къде|защо|колко|"
    "ποιος|ποια|ποιο|ποιοι|ποιες|τι είναι|πού|πότε|γιατί|πώς|πόσο|πόσα|πόσοι|σε ποια|σε ποιο|"
    "ما هو|ما هي|ما|ماذا|من هو|من هي|أين|متى|لماذا|كيف|كم|هل|أي|أية|في أي|מה|מי|איפה|היכן|מתי|למה|מדוע|איך|כמה|"
    "האם|איזה|איזו|באיזו|آیا|کدام|چرا|چند|چه کسی|کیا|"
    "ai|tại sao|vì sao|bao nhiêu|ở đâu|khi nào|thành phố nào|apa|apakah|siapa|di mana|kapan|mengapa|kenapa|"
    "bagaimana|berapa|yang mana|ano|sino|saan|kailan|bakit|ilan|nini|nani|wapi|lini|kwa nini|ni nani|ni mji gani|"
    "hangi|kim|nerede|neden|niçin|nasıl|kaç|ne zaman|რა|ვინ|სად|როდის|რატომ|რომელი|რამდენი|ինչ|ով|որտեղ|երբ|ինչու|"
    "որ|ምን|ማን|የት|መቼ|ለምን|የትኛው|តើ|";

static const char question_word[] =
    "क्या|कौन|कौनसा|कौनसी|किस|कहाँ|कहां|कब|क्यों|कैसे|कितने|कितना|कितनी|কী|কি|কে|কোথায়|কখন|কেন|কীভাবে|কত|কোন|ਕੀ|"
    "ਕੌਣ|ਕਿੱਥੇ|શું|કોણ|ક્યાં|கே|என்ன|யார்|எங்கே|எப்போது|ஏன்|எப்படி|எத்தனை|எந்த|ఏమి|ఎవరు|ఎక్కడ|ఏ|ಏನು|ಯಾರು|ಎಲ್ಲಿ|"
    "എന്ത്|ആര്|എവിടെ|ഏത്|"
    "什么|什麼|甚麼|哪|谁|誰|为何|為何|怎么|怎麼|怎样|怎樣|多少|几个|幾個|吗|嗎|何ですか|どこ|どの|だれ|いつ|なぜ|"
    "いくつ|무엇|어디|누구|언제|왜|어떤|어느|몇|"
    "อะไร|ไหน|ใคร|เมื่อไหร่|เมื่อไร|ทำไม|อย่างไร|ยังไง|กี่|เท่าไหร่|เท่าไร|หรือไม่|ไหม|มั้ย|หรือเปล่า|ຫຍັງ|ໃສ|ໃຜ|"
    "ຈັກ|អ្វី|ណា|ប៉ុន្មាន|လား|လဲ|ဘာ|ဘယ်|";

static const char polite[] =
    "please|kindly|now|then|and|also|finally|bitte|s'il te plaît|s'il vous plaît|svp|merci de|por favor|"
    "per favore|per piacere|alsjeblieft|alstublieft|proszę|prosím|snälla|lütfen|tolong|mohon|silakan|xin|làm ơn|"
    "vui lòng|tafadhali|pakiusap|пожалуйста|прошу|будь ласка|моля|молим|παρακαλώ|من فضلك|رجاء|رجاءً|לطفاً|لطفا|"
    "براہ کرم|בבקשה|कृपया|দয়া করে|தயவுசெய்து|กรุณา|โปรด|ช่วย|სთხოვ|խնդրում եմ|can you|could you|would you|"
    "kannst du|können sie|peux-tu|pouvez-vous|puedes|podrías|pode|você pode|puoi|potresti|";

static const char familiar[] =
    "the|is|are|it|it's|that|that's|this|you|and|a|an|of|to|be|not|was|no|yes|thanks|thank|ok|okay|nice|good|"
    "great|hi|hello|sure|"
    "der|die|das|ist|nicht|und|es|ein|eine|du|sie|danke|gut|ja|nein|sehr|le|la|les|est|c'est|et|un|une|pas|tu|"
    "vous|merci|de|bien|très|oui|non|d'accord|"
    "el|los|y|una|que|gracias|está|muy|sí|bueno|o|é|e|não|um|uma|obrigado|obrigada|muito|isso|sim|il|è|grazie|che|"
    "molto|questo|va bene|sì|"
    "het|een|niet|en|dat|dank|bedankt|goed|jest|nie|i|tak|dzięki|dobrze|děkuji|dobře|ano|det|är|inte|och|tack|er|"
    "ikke|og|takk|bra|on|ei|se|kiitos|hyvä|"
    "bu|çok|bir|değil|teşekkürler|tamam|güzel|là|không|và|cảm ơn|vâng|itu|ini|tidak|dan|terima kasih|baik|este|și|"
    "nu|mulțumesc|az|nem|köszönöm|igen|"
    "это|не|и|в|на|да|нет|спасибо|очень|хорошо|ладно|це|і|та|дякую|дуже|добре|так|ні|το|είναι|και|δεν|ευχαριστώ|"
    "ναι|καλά|";

const struct cue_list CUE_WORDS[CUE_LISTS] = {
    {CUE_SPEAKER, CUE_ANYWHERE, {speaker, sizeof(speaker) - 1}},
    {CUE_CHAT, CUE_ANYWHERE, {chat, sizeof(chat) - 1}},
    {CUE_REMEMBER, CUE_ANYWHERE, {remember, sizeof(remember) - 1}},
    {CUE_ORDER, CUE_FIRST, {order_first, sizeof(order_first) - 1}},
    {CUE_ORDER, CUE_LAST, {order_last, sizeof(order_last) - 1}},
    {CUE_ORDER_VERB, CUE_FIRST, {order_verb, sizeof(order_verb) - 1}},
    {CUE_ORDER_OBJECT, CUE_ANYWHERE, {order_object, sizeof(order_object) - 1}},
    {CUE_QUESTION, CUE_LAST, {question_last, sizeof(question_last) - 1}},
    {CUE_MAYBE, CUE_FIRST, {question_first, sizeof(question_first) - 1}},
    {CUE_MAYBE, CUE_ANYWHERE, {question_word, sizeof(question_word) - 1}},
    {CUE_POLITE, CUE_FIRST, {polite, sizeof(polite) - 1}},
    {CUE_FAMILIAR, CUE_ANYWHERE, {familiar, sizeof(familiar) - 1}},
};
