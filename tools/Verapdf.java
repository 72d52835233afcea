import java.io.File;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.logging.LogManager;
import javax.xml.parsers.DocumentBuilderFactory;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;
import org.verapdf.pdfa.validation.profiles.ErrorDetails;
import org.verapdf.pdfa.validation.profiles.Profiles;
import org.verapdf.pdfa.validation.profiles.Rule;
import org.verapdf.pdfa.validation.profiles.ValidationProfile;
import org.verapdf.pdfa.validation.profiles.Variable;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * Validates files with veraPDF against its own profiles for PDF/A-2a and PDF/UA-1.
 *
 * One line for each file and standard: PASS or FAIL, standard, number of assertions, file; then one for each failure.
 * veraPDF reads its profiles through JAXB, which Java no longer brings: they are read here as the XML that they are.
 */
public class Verapdf {
  public static void main(String[] files) throws Exception {
    LogManager.getLogManager().reset();
    VeraGreenfieldFoundryProvider.initialise();
    List<ValidationProfile> profiles =
        Arrays.asList(profile("PDFA-2A", PDFAFlavour.PDFA_2_A), profile("PDFUA-1", PDFAFlavour.PDFUA_1));
    for (String file : files) {
      for (ValidationProfile profile : profiles) {
        check(file, profile);
      }
    }
  }

  private static void check(String file, ValidationProfile profile) throws Exception {
    try (PDFAParser parser = Foundries.defaultInstance().createParser(new File(file), profile.getPDFAFlavour())) {
      ValidationResult result = Foundries.defaultInstance().createValidator(profile, false).validate(parser);
      System.out.printf("%s %s %d %s%n", result.isCompliant() ? "PASS" : "FAIL", profile.getPDFAFlavour(),
          result.getTotalAssertions(), file);
      for (TestAssertion one : result.getTestAssertions()) {
        System.out.printf("  %s-%d: %s (%s)%n", one.getRuleId().getClause(), one.getRuleId().getTestNumber(),
            one.getMessage(), one.getLocation().getContext());
      }
    }
  }

  private static ValidationProfile profile(String name, PDFAFlavour flavour) throws Exception {
    Document xml;
    try (InputStream stream = Foundries.class.getResourceAsStream("/org/verapdf/pdfa/validation/" + name + ".xml")) {
      xml = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(stream);
    }
    Set<Rule> rules = new HashSet<>();
    for (Element rule : all(xml, "rule")) {
      rules.add(rule(rule));
    }
    Set<Variable> variables = new HashSet<>();
    for (Element one : all(xml, "variable")) {
      variables.add(Profiles.variableFromValues(one.getAttribute("name"), one.getAttribute("object"),
          text(one, "defaultValue"), text(one, "value")));
    }
    return Profiles.profileFromValues(flavour,
        Profiles.profileDetailsFromValues(name, name, "veraPDF Consortium", new Date(0)), "", rules, variables);
  }

  private static Rule rule(Element rule) {
    Element id = (Element) rule.getElementsByTagName("id").item(0);
    ErrorDetails error = Profiles.errorFromValues(text(rule, "message"), Collections.emptyList());
    return Profiles.ruleFromValues(
        Profiles.ruleIdFromValues(PDFAFlavour.Specification.valueOf(id.getAttribute("specification")),
            id.getAttribute("clause"), Integer.parseInt(id.getAttribute("testNumber"))),
        rule.getAttribute("object"),
        rule.hasAttribute("deferred") ? Boolean.valueOf(rule.getAttribute("deferred")) : null,
        rule.getAttribute("tags"), text(rule, "description"), text(rule, "test"), error, Collections.emptyList());
  }

  private static List<Element> all(Document xml, String name) {
    NodeList found = xml.getElementsByTagName(name);
    List<Element> elements = new ArrayList<>();
    for (int i = 0; i < found.getLength(); i++) {
      elements.add((Element) found.item(i));
    }
    return elements;
  }

  private static String text(Element element, String name) {
    NodeList found = element.getElementsByTagName(name);
    return found.getLength() == 0 ? "" : found.item(0).getTextContent();
  }
}
