/*
 * Test only. Registers, under their standard names, the analysis components that the bare Elasticsearch 9.3
 * "integ-test-zip" server lacks, and GET /. Settings not read here are ignored. Never ship this to production:
 * a full Elasticsearch has the real analysis-common module, whose names these would clash with.
 */
package plugproof;

import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.FilteringTokenFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.charfilter.HTMLStripCharFilter;
import org.apache.lucene.analysis.core.FlattenGraphFilter;
import org.apache.lucene.analysis.core.KeywordTokenizer;
import org.apache.lucene.analysis.core.WhitespaceTokenizer;
import org.apache.lucene.analysis.en.EnglishMinimalStemFilter;
import org.apache.lucene.analysis.en.EnglishPossessiveFilter;
import org.apache.lucene.analysis.en.KStemFilter;
import org.apache.lucene.analysis.en.PorterStemFilter;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.miscellaneous.TrimFilter;
import org.apache.lucene.analysis.miscellaneous.WordDelimiterGraphFilter;
import org.apache.lucene.analysis.miscellaneous.WordDelimiterIterator;
import org.apache.lucene.analysis.ngram.EdgeNGramTokenFilter;
import org.apache.lucene.analysis.ngram.EdgeNGramTokenizer;
import org.apache.lucene.analysis.pattern.PatternTokenizer;
import org.apache.lucene.analysis.snowball.SnowballFilter;
import org.apache.lucene.analysis.synonym.SolrSynonymParser;
import org.apache.lucene.analysis.synonym.SynonymFilter;
import org.apache.lucene.analysis.synonym.SynonymMap;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.elasticsearch.Build;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.IndexScopedSettings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.settings.SettingsFilter;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.index.IndexService.IndexCreationContext;
import org.elasticsearch.index.analysis.AbstractTokenFilterFactory;
import org.elasticsearch.index.analysis.CharFilterFactory;
import org.elasticsearch.index.analysis.CustomAnalyzer;
import org.elasticsearch.index.analysis.NormalizingTokenFilterFactory;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.index.analysis.TokenizerFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestController;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.tartarus.snowball.ext.EnglishStemmer;

public class TestAnalysisPlugin extends Plugin implements AnalysisPlugin, ActionPlugin {

    private static class Filter extends AbstractTokenFilterFactory {
        private final Function<TokenStream, TokenStream> make;
        Filter(String name, Function<TokenStream, TokenStream> make) { super(name); this.make = make; }
        @Override public TokenStream create(TokenStream in) { return make.apply(in); }
    }

    /** May stand in a keyword normalizer. */
    private static final class NormalizingFilter extends Filter implements NormalizingTokenFilterFactory {
        NormalizingFilter(String name, Function<TokenStream, TokenStream> make) { super(name, make); }
    }

    /** May not stand before a synonym filter, as in the real module. */
    private static final class NotBeforeSynonyms extends Filter {
        NotBeforeSynonyms(String name, Function<TokenStream, TokenStream> make) { super(name, make); }
        @Override public TokenFilterFactory getSynonymFilter() {
            throw new IllegalArgumentException("Token filter [" + name() + "] cannot be used to parse synonyms");
        }
    }

    private static AnalysisProvider<TokenFilterFactory> filter(
            BiFunction<String, Function<TokenStream, TokenStream>, TokenFilterFactory> kind, BiFunction<TokenStream, Settings, TokenStream> make) {
        return (index, env, name, s) -> kind.apply(name, in -> make.apply(in, s));
    }

    private static AnalysisProvider<TokenizerFactory> tokenizer(Function<Settings, Tokenizer> make) {
        return (index, env, name, s) -> TokenizerFactory.newFactory(name, () -> make.apply(s));
    }

    @Override public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        return Map.of(
            "asciifolding", filter(NormalizingFilter::new, (in, s) -> new ASCIIFoldingFilter(in, s.getAsBoolean("preserve_original", false))),
            "trim", filter(NormalizingFilter::new, (in, s) -> new TrimFilter(in)),
            "flatten_graph", filter(Filter::new, (in, s) -> new FlattenGraphFilter(in)),
            "unique", filter(Filter::new, (in, s) -> new Unique(in)),
            "stemmer", filter(Filter::new, (in, s) -> stem(in, s.get("language", s.get("name", "porter")))),
            "edge_ngram", filter(NotBeforeSynonyms::new, (in, s) -> new EdgeNGramTokenFilter(
                in, s.getAsInt("min_gram", 1), s.getAsInt("max_gram", 2), s.getAsBoolean("preserve_original", false))),
            "word_delimiter_graph", filter(NotBeforeSynonyms::new, TestAnalysisPlugin::wordDelimiter),
            "synonym", AnalysisPlugin.requiresAnalysisSettings((index, env, name, s) -> new Synonyms(name, s)));
    }

    @Override public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
        return Map.of(
            "keyword", tokenizer(s -> new KeywordTokenizer()),
            "whitespace", tokenizer(s -> new WhitespaceTokenizer()),
            "pattern", tokenizer(s -> new PatternTokenizer(Pattern.compile(s.get("pattern", "\\W+")), s.getAsInt("group", -1))),
            "edge_ngram", tokenizer(s -> new EdgeNGramTokenizer(s.getAsInt("min_gram", 1), s.getAsInt("max_gram", 2))));
    }

    @Override public Map<String, AnalysisProvider<CharFilterFactory>> getCharFilters() {
        return Map.of("html_strip", (index, env, name, s) -> new CharFilterFactory() {
            @Override public String name() { return name; }
            @Override public Reader create(Reader in) { return new HTMLStripCharFilter(in); }
        });
    }

    private static TokenStream stem(TokenStream in, String language) {
        return switch (language) {
            case "english", "porter" -> new PorterStemFilter(in);
            case "porter2" -> new SnowballFilter(in, new EnglishStemmer());
            case "light_english", "kstem" -> new KStemFilter(in);
            case "minimal_english" -> new EnglishMinimalStemFilter(in);
            case "possessive_english" -> new EnglishPossessiveFilter(in);
            default -> throw new IllegalArgumentException("stemmer language not in the test plugin: " + language);
        };
    }

    private static TokenStream wordDelimiter(TokenStream in, Settings s) {
        int flags = 0;
        for (var f : List.of(
            Map.entry("generate_word_parts", WordDelimiterGraphFilter.GENERATE_WORD_PARTS),
            Map.entry("generate_number_parts", WordDelimiterGraphFilter.GENERATE_NUMBER_PARTS),
            Map.entry("split_on_case_change", WordDelimiterGraphFilter.SPLIT_ON_CASE_CHANGE),
            Map.entry("split_on_numerics", WordDelimiterGraphFilter.SPLIT_ON_NUMERICS),
            Map.entry("stem_english_possessive", WordDelimiterGraphFilter.STEM_ENGLISH_POSSESSIVE))) {
            flags |= s.getAsBoolean(f.getKey(), true) ? f.getValue() : 0;
        }
        for (var f : List.of(
            Map.entry("catenate_words", WordDelimiterGraphFilter.CATENATE_WORDS),
            Map.entry("catenate_numbers", WordDelimiterGraphFilter.CATENATE_NUMBERS),
            Map.entry("catenate_all", WordDelimiterGraphFilter.CATENATE_ALL),
            Map.entry("preserve_original", WordDelimiterGraphFilter.PRESERVE_ORIGINAL))) {
            flags |= s.getAsBoolean(f.getKey(), false) ? f.getValue() : 0;
        }
        return new WordDelimiterGraphFilter(
            in, s.getAsBoolean("adjust_offsets", true), WordDelimiterIterator.DEFAULT_WORD_DELIM_TABLE, flags, null);
    }

    /** Keeps the first occurrence of each term. */
    private static final class Unique extends FilteringTokenFilter {
        private final CharTermAttribute term = addAttribute(CharTermAttribute.class);
        private final Set<String> seen = new HashSet<>();
        Unique(TokenStream in) { super(in); }
        @Override protected boolean accept() { return seen.add(term.toString()); }
        @Override public void reset() throws IOException { super.reset(); seen.clear(); }
    }

    /** Inline Solr-format rules only; analysed by the part of the chain that stands before this filter. */
    private static final class Synonyms extends AbstractTokenFilterFactory {
        private final Settings settings;
        Synonyms(String name, Settings settings) { super(name); this.settings = settings; }
        @Override public TokenStream create(TokenStream in) {
            throw new IllegalStateException("a synonym filter must be built from its chain");
        }
        @Override public TokenFilterFactory getChainAwareTokenFilterFactory(IndexCreationContext context, TokenizerFactory tokenizer,
                List<CharFilterFactory> chars, List<TokenFilterFactory> before, Function<String, TokenFilterFactory> all) {
            var analyzer = new CustomAnalyzer(tokenizer, chars.toArray(CharFilterFactory[]::new),
                before.stream().map(TokenFilterFactory::getSynonymFilter).toArray(TokenFilterFactory[]::new));
            var parser = new SolrSynonymParser(true, settings.getAsBoolean("expand", true), analyzer);
            SynonymMap map;
            try {
                parser.parse(new StringReader(String.join("\n", settings.getAsList("synonyms"))));
                map = parser.build();
            } catch (Exception e) {
                throw new IllegalArgumentException("failed to build synonyms", e);
            }
            return new Filter(name(), in -> map.fst == null ? in : new SynonymFilter(in, map, false));
        }
    }

    @Override public Collection<RestHandler> getRestHandlers(Settings settings, NamedWriteableRegistry registry, RestController controller,
            ClusterSettings cluster, IndexScopedSettings scoped, SettingsFilter filter, IndexNameExpressionResolver names,
            Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> features) {
        return List.of(new BaseRestHandler() {
            @Override public String getName() { return "test_root"; }
            @Override public List<Route> routes() {
                return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
            }
            @Override protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
                return channel -> {
                    var json = channel.newBuilder().startObject()
                        .field("name", nodes.get().getLocalNode().getName()).field("cluster_name", settings.get("cluster.name", "elasticsearch"))
                        .startObject("version").field("number", Build.current().version()).field("build_flavor", "default").endObject()
                        .field("tagline", "You Know, for Search").endObject();
                    channel.sendResponse(new RestResponse(RestStatus.OK, json));
                };
            }
        });
    }
}
